/**
 * The code blocks of a Markdown page.
 *
 * Blocks marked `ts`, `js` and `sh` are run. A comment in the line before the fence keeps one from being run, and
 * says why; TypeScript is type-checked all the same:
 *
 *     <!-- not run: listens until it is stopped -->
 *
 * What a block needs and a reader does not have to see stands in a comment that is run as TypeScript:
 *
 *     <!-- hidden:
 *     const token = 'a token'
 *     -->
 */
import type { Page, PageProblem } from './page.ts'

export interface CodeBlock {
  readonly language: 'typescript' | 'shell'
  /** Of the fence, or of the comment's beginning; the code begins in the next line. From 1. */
  readonly line: number
  readonly text: string
  readonly isRun: boolean
}

const LANGUAGES = new Map([
  ['ts', 'typescript'],
  ['js', 'typescript'],
  ['sh', 'shell'],
] as const)

/** Other names for the same languages: with one of these a block would go unnoticed. */
const MISNOMERS = [
  'typescript',
  'javascript',
  'mts',
  'tsx',
  'jsx',
  'mjs',
  'bash',
  'shell',
  'console',
]

const FENCE = /^\s*(`{3,}|~{3,})\s*([^\s`]*)/
const NOT_RUN = /^<!--\s*not run\b:?\s*(.*?)\s*-->$/

export function readCodeBlocks({ name, text }: Page): {
  readonly blocks: readonly CodeBlock[]
  readonly problems: readonly PageProblem[]
} {
  const blocks: CodeBlock[] = []
  const problems: PageProblem[] = []
  const lines = text.split('\n')
  const report = (line: number, message: string): void => {
    problems.push({ page: name, line, message })
  }
  let reason: string | undefined
  for (let i = 0; i < lines.length; i++) {
    const content = lines[i] ?? ''
    const line = i + 1
    const isHidden = content.startsWith('<!-- hidden:')
    const [, fence, info = ''] = FENCE.exec(content) ?? []
    if (isHidden || fence !== undefined) {
      const isEnd = (row: string): boolean => row.trim() === (isHidden ? '-->' : fence)
      const end = lines.findIndex((row, at) => at > i && isEnd(row))
      if (end < 0) {
        report(line, 'the code block has no end')
        break
      }
      const language = isHidden ? 'typescript' : [...LANGUAGES].find(([key]) => key === info)?.[1]
      const code = lines.slice(i + 1, end).join('\n')
      if (language !== undefined) {
        blocks.push({ language, line, text: code, isRun: reason === undefined })
      } else if (MISNOMERS.includes(info)) {
        report(line, `a block of ${info} would not be run; name it ts, js or sh`)
      }
      if (reason === '') report(line, 'not run, but no reason is given: <!-- not run: reason -->')
      if (reason !== undefined && (isHidden || language === undefined)) {
        report(line, 'not run, but it is no block that would be run')
      }
      i = end
      reason = undefined
    } else {
      const found = NOT_RUN.exec(content.trim())?.[1]
      if (reason !== undefined)
        report(line, 'a reason not to run belongs in the line before a block')
      reason = found
    }
  }
  return { blocks, problems }
}
