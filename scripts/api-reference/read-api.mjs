// The exports of all entry points, read from the declarations that the compiler has made.

import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { docstringOf, headerOf, isInternal } from './docstring.mjs'
import { readEntryPoints } from './entry-points.mjs'

/** @returns {import('./api-reference.d.mts').Api} */
export function readApi(repository) {
  const entryPoints = readEntryPoints(repository)
  const program = ts.createProgram(
    entryPoints.map(({ types }) => types),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: ['node'],
    },
  )
  const checker = program.getTypeChecker()
  const resolve = (symbol) =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
  /** Where each symbol is documented: by the first entry point that exports it. */
  const homes = new Map()
  const pages = entryPoints.map((entry) => {
    const file = program.getSourceFile(entry.types)
    if (file === undefined) throw new Error(`${entry.types} is missing: npm run build`)
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file))
    const symbols = exported.map((symbol) => ({ name: symbol.name, symbol: resolve(symbol) }))
    for (const { name, symbol } of symbols)
      if (!homes.has(symbol)) homes.set(symbol, { entry, name })
    return { entry, symbols }
  })
  const context = { checker, resolve, homes }
  return {
    pages: pages.map(({ entry, symbols }) => ({
      entry,
      header: headerOf(readFileSync(entry.source, 'utf8')),
      items: symbols
        .filter(({ symbol }) => homes.get(symbol).entry === entry)
        .map(({ name, symbol }) => readItem(name, symbol, context)),
      elsewhere: symbols
        .filter(({ symbol }) => homes.get(symbol).entry !== entry)
        .map(({ name, symbol }) => ({ name, entry: homes.get(symbol).entry })),
    })),
  }
}

const KINDS = new Map([
  [ts.SyntaxKind.FunctionDeclaration, 'function'],
  [ts.SyntaxKind.ClassDeclaration, 'class'],
  [ts.SyntaxKind.InterfaceDeclaration, 'interface'],
  [ts.SyntaxKind.TypeAliasDeclaration, 'type'],
  [ts.SyntaxKind.VariableDeclaration, 'constant'],
])

function readItem(name, symbol, context) {
  const declarations = symbol.declarations ?? []
  const [first] = declarations
  const kind = KINDS.get(first?.kind)
  if (kind === undefined) throw new Error(`${name} is an export of an unknown kind`)
  const members = kind === 'class' ? classMembers(first) : []
  const types = typesOf(declarations, symbol, context)
  return {
    name,
    kind,
    doc: docstringOf(first),
    code: [declarations.map((node) => codeOf(node, kind)).join('\n'), ...shownWith(types)].join(
      '\n\n',
    ),
    members,
    undocumented: undocumentedOf(first, kind, members),
    types: {
      exported: types.exported,
      hidden: types.hidden.filter((type) => !isShown(type)).map(nameOf),
    },
  }
}

const nameOf = (symbol) => symbol.name

/** Types that only have a name to be used in others: they are shown where they are used. */
function isShown(symbol) {
  const [declaration] = symbol.declarations
  return (
    ts.isTypeAliasDeclaration(declaration) ||
    ts.isVariableDeclaration(declaration) ||
    (ts.isInterfaceDeclaration(declaration) && /(Options|Bounds|Spec)$/.test(symbol.name))
  )
}

function shownWith({ hidden }) {
  return hidden
    .filter(isShown)
    .map(({ declarations: [node] }) => codeOf(node, KINDS.get(node.kind)))
}

function codeOf(node, kind) {
  if (kind === 'constant') return `const ${node.getText()}`
  if (kind !== 'class') return indent(withoutModifiers(node.getText()))
  // The members follow each by itself.
  const head = node.getText().slice(0, node.members.pos - node.getStart())
  return withoutModifiers(head.replace(/\s*\{\s*$/, ''))
}

function withoutModifiers(text) {
  return text
    .replace(/^export /, '')
    .replace(/^declare /, '')
    .replace(/;$/, '')
}

/** Two spaces a level, as in all of the code; without the semicolons that the compiler adds. */
function indent(text) {
  return text
    .split('\n')
    .map((line) => line.replace(/^( {4})+/, (spaces) => ' '.repeat(spaces.length / 2)))
    .map((line) => (/^\s*\*/.test(line) ? line : line.replace(/;$/, '')))
    .join('\n')
}

/** What a user may call: a constructor counts when it has a docstring. Overloads are one member. */
function classMembers(node) {
  const members = new Map()
  for (const member of node.members) {
    if (isLeftOut(member)) continue
    const doc = docstringOf(member)
    const isConstructor = ts.isConstructorDeclaration(member)
    const name = isConstructor ? 'constructor' : member.name.getText()
    const code = indent(member.getText()).replaceAll('\n  ', '\n')
    const known = members.get(name)
    if (known !== undefined) known.code += `\n${code}`
    else members.set(name, { name, doc, code, isCallable: isCallable(member) })
  }
  return [...members.values()]
}

function isCallable(member) {
  return ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)
}

/** Members that explain themselves by their names. */
const SELF_EXPLAINING = new Set([
  'name',
  'close',
  'release',
  '[Symbol.dispose]',
  '[Symbol.asyncDispose]',
])

/** Options, which are what an application writes, need a docstring each. */
function undocumentedOf(node, kind, members) {
  if (kind === 'class') {
    return members
      .filter(({ name, doc }) => doc === undefined && !SELF_EXPLAINING.has(name))
      .map(({ name }) => name)
  }
  if (kind !== 'interface' || !/(Options|Config)$/.test(node.name.text)) return []
  return node.members
    .filter((member) => docstringOf(member) === undefined)
    .map((member) => member.name?.getText() ?? '')
}

/** The types of ours that a declaration names: those with a page, and those that no entry point exports. */
function typesOf(declarations, self, { checker, resolve, homes }) {
  const exported = new Map()
  const hidden = new Set()
  const add = (name) => {
    const found = checker.getSymbolAtLocation(name)
    if (found === undefined) return
    const symbol = resolve(found)
    if (symbol === self) return
    const home = homes.get(symbol)
    if (home !== undefined) exported.set(home.name, home)
    else if (isOurs(symbol)) hidden.add(symbol)
  }
  const visit = (node) => {
    if (isLeftOut(node)) return
    if (ts.isTypeReferenceNode(node)) add(node.typeName)
    else if (ts.isExpressionWithTypeArguments(node)) add(node.expression)
    else if (ts.isTypeQueryNode(node)) add(node.exprName)
    ts.forEachChild(node, visit)
  }
  declarations.forEach(visit)
  return { exported: [...exported.values()], hidden: [...hidden] }
}

/** Members that are not for users. */
function isLeftOut(node) {
  if (!ts.isClassElement(node)) return false
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true
  const flags = ts.getCombinedModifierFlags(node)
  if ((flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0) return true
  return isInternal(node) || (ts.isConstructorDeclaration(node) && docstringOf(node) === undefined)
}

/** Declared at the top of a file of ours: not a type parameter, not of a library. */
function isOurs(symbol) {
  const [declaration] = symbol.declarations ?? []
  if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return false
  return /\/packages\/[^/]+\/dist\//.test(declaration.getSourceFile().fileName)
}
