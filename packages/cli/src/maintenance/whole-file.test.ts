import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryPaths } from './database-directory.test-kit.ts'
import { writeWholeFile } from './whole-file.ts'

const path = temporaryPaths()

describe('whole file', () => {
  test('filled in pieces -> there, and nothing else', async () => {
    const answer = await writeWholeFile(path('a'), async (sink) => {
      const writer = sink.getWriter()
      await writer.write(Buffer.from('one '))
      expect(readdirSync(path('.'))).not.toContain('a')
      await writer.write(Buffer.from('two'))
      return 2
    })
    expect(answer).toBe(2)
    expect(readFileSync(path('a'), 'utf8')).toBe('one two')
    expect(readdirSync(path('.'))).toEqual(['a'])
  })

  test('made by somebody else meanwhile -> database_exists, theirs stays', async () => {
    const writing = writeWholeFile(path('a'), async () => writeFileSync(path('a'), 'theirs'))
    await expect(writing).rejects.toMatchObject({ code: 'database_exists' })
    expect(readFileSync(path('a'), 'utf8')).toBe('theirs')
    expect(readdirSync(path('.'))).toEqual(['a'])
  })

  test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
    'disk full (%s) -> disk_full, and nothing is left',
    async (code) => {
      const full = Object.assign(new Error(code), { code })
      const writing = writeWholeFile(path('a'), () => Promise.reject(full))
      await expect(writing).rejects.toMatchObject({ code: 'disk_full', retry: 'later' })
      expect(readdirSync(path('.'))).toEqual([])
    },
  )
})
