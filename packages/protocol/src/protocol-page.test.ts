/** Holds `docs/protocol.md` to the code: its examples, its fields, its codes and its limits. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseCborItem } from './cddl/cbor-item.test-kit.ts'
import { diagnosticOf } from './cddl/diagnostic.test-kit.ts'
import { RULES, schemaOfProtocol } from './cddl/schema.test-kit.ts'
import { matchesRule } from './cddl/validator.test-kit.ts'
import { encodeContentForHash } from './content-hash.ts'
import { DEFAULT_LIMITS, httpStatusOf } from './http.ts'
import { codecOf, type MessageName, messageNames } from './message-codecs.test-kit.ts'
import { bytesOfHex, hexOf } from './vectors.test-kit.ts'

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')
const schema = schemaOfProtocol()

/** The examples: a block of diagnostic notation that names its message, followed by one of hex. */
const EXAMPLE = /```cbor-diag (\w+)\n([\s\S]*?)\n```\n\n```cbor-hex\n([\s\S]*?)\n```/g
const examples = [...page.matchAll(EXAMPLE)].map(([, name, diagnostic, hex], index) => ({
  title: `${index + 1}, ${name}`,
  name: messageNames.find((known) => known === name),
  diagnostic: withoutSpace((diagnostic ?? '').replaceAll(/\/[^/]*\//g, '')),
  bytes: bytesOfHex((hex ?? '').replaceAll('\n', '')),
}))

describe('docs/protocol.md', () => {
  test('examples: all blocks of bytes -> belong to a message', () => {
    expect(examples.length).toBeGreaterThanOrEqual(15)
    expect(page.split('```cbor-hex').length - 1).toBe(examples.length)
    expect(examples.every(({ name }) => name !== undefined)).toBe(true)
  })

  test.each(examples.map((example) => [example.title, example] as const))(
    'example: %s -> its bytes are what its notation says, and what the encoder writes',
    (_, { name, diagnostic, bytes }) => {
      expect(withoutSpace(diagnosticOf(bytes))).toBe(diagnostic)
      const message: MessageName = name ?? expect.fail('no message')
      const codec = codecOf(message)
      expect(hexOf(codec.encode(codec.decode(bytes)))).toBe(hexOf(bytes))
      expect(matchesRule(schema, RULES[message], parseCborItem(bytes))).toBe(true)
    },
  )

  test('example: the content hash -> is what is hashed, and its hash', () => {
    const content = encodeContentForHash({
      collection: 'notes',
      entityId: 'n3',
      opType: 'PUT',
      entityVersion: 0,
      entityCbor: bytesOfHex('a2626964626e3364746578746465676773'),
    })
    expect(page).toContain(`CBOR     ${hexOf(content)}`)
    expect(page).toContain(`SHA-256  ${createHash('sha256').update(content).digest('hex')}`)
  })

  test('fields: every key of the CDDL -> is on the page', () => {
    const types = [...schema.types.values(), ...schema.groups.values()]
    const text = JSON.stringify(types, (_, value) => (typeof value === 'bigint' ? 0 : value))
    const keys = [...text.matchAll(/"key":{"kind":"literal","value":"([^"]+)"}/g)].map(
      ([, key]) => key,
    )
    expect(keys.length).toBeGreaterThan(60)
    // The two halves of a version are shown as a pair.
    const missing = keys.filter(
      (key) => !page.includes(`\`${key}\``) && !page.includes(`.${key}\``),
    )
    expect(new Set(missing)).toEqual(new Set(['major', 'minor']))
  })

  test('errors: every row of the table -> its status', () => {
    const rows = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)]
    const table = Object.fromEntries(rows.map(([, status, code]) => [code, Number(status)]))
    expect(table).toEqual({
      invalid_request: httpStatusOf('invalid_request'),
      unsupported_protocol: httpStatusOf('unsupported_protocol'),
      unauthenticated: httpStatusOf('unauthenticated'),
      forbidden: httpStatusOf('forbidden'),
      unknown_database: httpStatusOf('unknown_database'),
      not_found: httpStatusOf('not_found'),
      method_not_allowed: httpStatusOf('method_not_allowed'),
      not_acceptable: httpStatusOf('not_acceptable'),
      op_id_reused: httpStatusOf('op_id_reused'),
      device_conflict: httpStatusOf('device_conflict'),
      epoch_mismatch: httpStatusOf('epoch_mismatch'),
      cursor_moved: httpStatusOf('cursor_moved'),
      cursor_expired: httpStatusOf('cursor_expired'),
      too_large: httpStatusOf('too_large'),
      unsupported_media_type: httpStatusOf('unsupported_media_type'),
      cursor_ahead: httpStatusOf('cursor_ahead'),
      rate_limited: httpStatusOf('rate_limited'),
      internal: httpStatusOf('internal'),
      unavailable: httpStatusOf('unavailable'),
    })
  })

  test('limits: every default -> is on the page', () => {
    for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`))
      expect(row).toMatch(new RegExp(`\\| ${value.toLocaleString('en-US')} \\|$`))
    }
  })

  test('links: every one inside the page -> leads to a heading', () => {
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([])
  })
})

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, '')
}
