// Docstrings: the comment in front of a declaration, as Markdown.
import { existsSync, readFileSync } from 'node:fs'
import ts from 'typescript'

/** The last comment before the declaration; undefined when there is none. */
export function docstringOf(node) {
  const comment = ts.getJSDocCommentsAndTags(node).findLast((part) => ts.isJSDoc(part))
  return comment === undefined || isHeader(comment) ? undefined : toMarkdown(comment.getText())
}

/**
 * The compiler drops the empty line that sets the header of a file off from its first declaration: the source tells
 * whose comment it is.
 */
function isHeader(comment) {
  if (comment.getStart() > 0) return false
  const source = sourceOf(comment.getSourceFile().fileName)
  return existsSync(source) && /^\/\*\*[\s\S]*?\*\/\n\n/.test(readFileSync(source, 'utf8'))
}

/** The source that the compiler made a declaration file of. */
export function sourceOf(declarations) {
  return declarations.replace('/dist/', '/src/').replace(/\.d\.ts$/, '.ts')
}

/** Of the file itself: what its first comment says. */
export function headerOf(text) {
  const [comment] = /^\/\*\*[\s\S]*?\*\//.exec(text) ?? []
  return comment === undefined ? undefined : toMarkdown(comment)
}

/** Is the declaration marked `@internal`, and so no part of the reference? */
export function isInternal(node) {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

/** `@example` becomes a block of code, `@throws X` a sentence. */
function toMarkdown(comment) {
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  const parts = [[]]
  for (const line of lines) {
    if (line.startsWith('@')) parts.push([])
    parts.at(-1).push(line)
  }
  return parts
    .map((part) => tagToMarkdown(part.join('\n').trim()))
    .filter((text) => text !== '')
    .join('\n\n')
}

function tagToMarkdown(text) {
  if (!text.startsWith('@')) return text
  if (text.startsWith('@internal')) return ''
  const [, tag, rest] = /^@(\w+)\s*([\s\S]*)$/.exec(text)
  if (tag === 'example') return `\`\`\`ts\n${rest}\n\`\`\``
  if (tag === 'throws') return `Throws ${rest}`
  throw new Error(`a docstring has a tag that the reference does not know: ${text}`)
}
