/**
 * A page as one module: its blocks are one story, told in order. Every line of code keeps its number, so that
 * the compiler and the stack of an error speak of lines of the page.
 *
 * A block that declares a name which an earlier block declared begins a scope of its own, which lasts to the end of
 * the page; thus a page may open "the" database anew. Imports move to the first line, each once.
 */
import ts from 'typescript'
import { type CodeBlock, readCodeBlocks } from './code-block.ts'
import { findExpectations, type Insertion, STORY } from './expectation.ts'
import type { Page, PageProblem } from './page.ts'
import { readShellCommands } from './shell-commands.ts'

export interface PageModule {
  readonly page: string
  /** What is type-checked: the code as it stands. */
  readonly typed: string
  /** What is run: without the blocks that are not, with checks of what the page expects. */
  readonly run: string
  /** The line of the page for an offset in `typed`. From 1. */
  lineOf(offset: number): number
  readonly problems: readonly PageProblem[]
  /** Does it have anything to run? */
  readonly isEmpty: boolean
}

interface Import {
  readonly text: string
  readonly line: number
  readonly isRun: boolean
}

export function createPageModule(page: Page): PageModule {
  const { blocks, problems: found } = readCodeBlocks(page)
  const problems = [...found]
  const report = (line: number, message: string): void => {
    problems.push({ page: page.name, line, message })
  }
  const lineCount = page.text.split('\n').length
  const typed = new Array<string>(lineCount).fill('')
  const run = new Array<string>(lineCount).fill('')
  const imports = new Map<string, Import>()
  const declared = new Set<string>()
  const expected: number[] = []
  let scopes = 0

  const addShell = ({ line, text, isRun }: CodeBlock): void => {
    const commands = readShellCommands(text, line + 1)
    if (isRun) run[line - 1] = `;await ${STORY}.shell(${line}, ${JSON.stringify(commands)});`
  }

  const addTypeScript = ({ line, text, isRun }: CodeBlock): void => {
    const source = ts.createSourceFile('block.ts', text, ts.ScriptTarget.ESNext, true)
    const names = declaredNames(source)
    let opening = ''
    if (names.some((name) => declared.has(name))) {
      opening = ';{'
      scopes++
    }
    for (const name of names) declared.add(name)
    for (const entry of importsOf(source, line, isRun)) {
      const known = imports.get(entry.text)
      imports.set(entry.text, { ...entry, isRun: isRun || known?.isRun === true })
    }
    const code = blankImports(source)
    const { insertions, lines, problems: wrong } = findExpectations(source, line + 1)
    for (const problem of wrong) report(problem.line, problem.message)
    typed[line - 1] = opening
    put(typed, line, code)
    run[line - 1] = opening
    if (!isRun) return
    expected.push(...lines)
    run[line - 1] += `;${STORY}.at(${line});`
    put(run, line, insert(code, insertions))
  }

  for (const block of blocks) {
    if (block.line === 1) report(1, 'a page begins with its title, not with a block')
    else if (block.language === 'shell') addShell(block)
    else addTypeScript(block)
  }

  const closing = `;${'}'.repeat(scopes)}\nexport {}\n`
  const hoisted = [...imports.values()]
  typed[0] = hoisted.map(({ text }) => text).join('')
  run[0] =
    `import * as ${STORY} from './story.mjs';${STORY}.expect(${JSON.stringify(expected)});` +
    hoisted
      .filter(({ isRun }) => isRun)
      .map(({ text }) => text)
      .join('')
  const typedText = typed.join('\n') + closing
  return {
    page: page.name,
    typed: typedText,
    run: run.join('\n') + closing,
    problems,
    isEmpty: blocks.length === 0,
    lineOf: (offset) => lineAt(typedText, offset, hoisted),
  }
}

function put(lines: string[], line: number, code: string): void {
  code.split('\n').forEach((text, i) => {
    lines[line + i] = text
  })
}

/** `insertions` do not overlap; those at one place go in in their order. */
function insert(text: string, insertions: readonly Insertion[]): string {
  const ordered = insertions.map((entry, i) => ({ ...entry, i }))
  ordered.sort((a, b) => b.at - a.at || b.i - a.i)
  let result = text
  for (const { at, text: added } of ordered) result = result.slice(0, at) + added + result.slice(at)
  return result
}

function lineAt(text: string, offset: number, hoisted: readonly Import[]): number {
  const line = text.slice(0, offset).split('\n').length
  if (line > 1) return line
  let end = 0
  for (const entry of hoisted) {
    end += entry.text.length
    if (offset < end) return entry.line
  }
  return 1
}

function importDeclarations(source: ts.SourceFile): readonly ts.ImportDeclaration[] {
  return source.statements.filter((statement) => ts.isImportDeclaration(statement))
}

/** One declaration for each name, so that blocks may repeat each other's imports. */
function importsOf(source: ts.SourceFile, blockLine: number, isRun: boolean): readonly Import[] {
  return importDeclarations(source).flatMap((declaration) => {
    const from = declaration.moduleSpecifier.getText(source)
    const start = declaration.getStart(source)
    const line = blockLine + source.getLineAndCharacterOfPosition(start).line + 1
    const clause = declaration.importClause
    const type = clause?.isTypeOnly === true ? 'type ' : ''
    const bindings = clause?.namedBindings
    const names: string[] = []
    if (clause?.name !== undefined) names.push(clause.name.text)
    if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
      names.push(bindings.getText(source))
    } else if (bindings !== undefined) {
      names.push(...bindings.elements.map((element) => `{ ${element.getText(source)} }`))
    }
    if (clause === undefined) return [{ text: `import ${from};`, line, isRun }]
    return names.map((name) => ({ text: `import ${type}${name} from ${from};`, line, isRun }))
  })
}

function blankImports(source: ts.SourceFile): string {
  let text = source.text
  for (const { pos, end } of importDeclarations(source)) {
    text = text.slice(0, pos) + text.slice(pos, end).replace(/[^\n]/g, ' ') + text.slice(end)
  }
  return text
}

function declaredNames(source: ts.SourceFile): readonly string[] {
  const names: string[] = []
  const addBinding = (name: ts.BindingName): void => {
    if (ts.isIdentifier(name)) names.push(name.text)
    else
      for (const element of name.elements)
        if (!ts.isOmittedExpression(element)) addBinding(element.name)
  }
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) addBinding(name)
    } else if (
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement)
    ) {
      if (statement.name !== undefined) names.push(statement.name.text)
    }
  }
  return names
}
