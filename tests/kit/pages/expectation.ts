/**
 * What a page says that its code does, as comments in the code:
 *
 *     await people.count() // -> 2
 *     const ada = await people.get('p1') // -> { id: 'p1', name: 'Ada' }
 *     await people.insert(ada) // -> throws entity_exists
 *
 * `->` stands behind a statement, or in the line below it, and goes on in lines that begin with `//` and two
 * spaces or more. The value is JavaScript and must be deeply equal to that of the expression, of the one variable
 * that is declared, or of the one argument of `console.log`; `'...'` in it stands for anything. Behind `throws`
 * stands the error's code or name.
 */
import ts from 'typescript'

/** Text to put in at an offset. */
export interface Insertion {
  readonly at: number
  readonly text: string
}

export interface Expectations {
  /** To make the code check what it says, line for line as before. */
  readonly insertions: readonly Insertion[]
  /** Lines of the page whose expectation is checked. */
  readonly lines: readonly number[]
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

interface Comment {
  /** Of the page. */
  readonly line: number
  /** Offset in the block. */
  readonly start: number
  readonly text: string
}

/** The name that `story.mjs` goes by in what is run. */
export const STORY = '__story'

/** `firstLine` is the line of the page that `source` begins in. */
export function findExpectations(source: ts.SourceFile, firstLine: number): Expectations {
  const comments = findComments(source.text, firstLine)
  const insertions: Insertion[] = []
  const problems: { line: number; message: string }[] = []
  const lines: number[] = []
  const taken = new Set<Comment>()
  // The innermost statement first: `for (...) statement // -> value` speaks of the inner one.
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit)
    if (ts.isStatement(node)) {
      const comment = comments.find(({ start }) => isDirectlyBehind(source.text, node.end, start))
      if (comment !== undefined && !taken.has(comment)) {
        taken.add(comment)
        const found = insertionsOf(source, node, comment)
        if (typeof found === 'string') problems.push({ line: comment.line, message: found })
        else {
          insertions.push(...found)
          lines.push(comment.line)
        }
      }
    }
  }
  visit(source)
  for (const comment of comments) {
    if (!taken.has(comment)) {
      problems.push({ line: comment.line, message: 'no statement ends before this expectation' })
    }
  }
  return { insertions, lines, problems }
}

function findComments(text: string, firstLine: number): readonly Comment[] {
  const comments: Comment[] = []
  const lines = text.split('\n')
  let start = 0
  lines.forEach((content, i) => {
    const match = /\/\/ -> ?(.*)$/.exec(content)
    if (match !== null) {
      const more: string[] = []
      for (let next = i + 1; next < lines.length; next++) {
        const [, part] = /^\s*\/\/ {2,}(.*)$/.exec(lines[next] ?? '') ?? []
        if (part === undefined) break
        more.push(part)
      }
      const parts = [match[1] ?? '', ...more].map((part) => part.trim())
      comments.push({ line: firstLine + i, start: start + match.index, text: parts.join(' ') })
    }
    start += content.length + 1
  })
  return comments
}

/** Only blanks, and at most one end of a line, lie between a statement and its expectation. */
function isDirectlyBehind(text: string, end: number, start: number): boolean {
  return start >= end && /^[ \t]*\n?[ \t]*$/.test(text.slice(end, start))
}

function insertionsOf(
  source: ts.SourceFile,
  statement: ts.Statement,
  comment: Comment,
): readonly Insertion[] | string {
  const [, code] = /^throws (\w+)$/.exec(comment.text) ?? []
  if (code !== undefined) return throwing(source, statement, comment, code)
  if (!isExpression(comment.text)) return `this is no value: ${comment.text}`
  const expected = `, (${comment.text}))`
  if (ts.isVariableStatement(statement)) {
    const [declared, ...others] = statement.declarationList.declarations
    if (declared === undefined || others.length > 0 || !ts.isIdentifier(declared.name)) {
      return 'only the declaration of one variable has a value'
    }
    const check = `;${STORY}.value(${comment.line}, ${declared.name.text}${expected};`
    return [{ at: statement.end, text: check }]
  }
  if (!ts.isExpressionStatement(statement)) return 'this kind of statement has no value'
  const subject = loggedValue(statement.expression) ?? statement.expression
  return [
    { at: subject.getStart(source), text: `${STORY}.value(${comment.line}, ` },
    { at: subject.end, text: expected },
  ]
}

function throwing(
  source: ts.SourceFile,
  statement: ts.Statement,
  { line }: Comment,
  code: string,
): readonly Insertion[] | string {
  if (ts.isVariableStatement(statement)) return 'a declaration that throws declares nothing'
  return [
    { at: statement.getStart(source), text: `await ${STORY}.throws(${line}, async () => { ` },
    { at: statement.end, text: ` }, '${code}');` },
  ]
}

function loggedValue(expression: ts.Expression): ts.Expression | undefined {
  if (!ts.isCallExpression(expression) || expression.arguments.length !== 1) return undefined
  const { expression: callee } = expression
  const isLog =
    ts.isPropertyAccessExpression(callee) &&
    ts.isIdentifier(callee.expression) &&
    callee.expression.text === 'console' &&
    callee.name.text === 'log'
  return isLog ? expression.arguments[0] : undefined
}

function isExpression(text: string): boolean {
  const code = `(${text}\n)`
  const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true })
  return text !== '' && diagnostics.length === 0
}
