// The reference as Markdown: a page for each entry point, and one that lists them.

const KINDS = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['interface', 'Interfaces'],
  ['type', 'Types'],
  ['constant', 'Constants'],
]

const NOTE = '<!-- Generated from docstrings by `npm run docs:api`; do not edit. -->'

/** @returns {Map<string, string>} text by file name */
export function renderApi({ pages }) {
  const anchors = anchorsOf(pages)
  const files = pages.map((page) => [page.entry.page, renderPage(page, anchors)])
  return new Map([['README.md', renderIndex(pages)], ...files])
}

function renderIndex(pages) {
  const rows = pages.map(
    ({ entry, header }) =>
      `| [\`${entry.specifier}\`](${entry.page}) | ${summaryOf(header, entry)} |`,
  )
  return `${['# API reference', NOTE, ['| entry point | what it is |', '| --- | --- |', ...rows].join('\n')].join('\n\n')}\n`
}

/** The first paragraph, without the entry point's own name. */
function summaryOf(header, { specifier }) {
  const [paragraph] = header.split('\n\n')
  return paragraph.replaceAll('\n', ' ').replace(`\`${specifier}\`: `, '')
}

function renderPage(page, anchors) {
  const { entry, header, elsewhere } = page
  const groups = groupsOf(page)
  const contents = groups.map(
    ([title, items]) =>
      `- ${title}: ${items.map(({ name }) => `[${name}](#${anchors.get(name)})`).join(', ')}`,
  )
  const others = elsewhere.map(
    ({ name, entry: home }) => `[${name}](${home.page}#${anchors.get(name)})`,
  )
  if (others.length > 0) contents.push(`- Documented elsewhere: ${others.join(', ')}`)
  return `${[
    `# ${entry.specifier}`,
    NOTE,
    header,
    contents.join('\n'),
    ...groups.flatMap(([title, items]) => [
      `## ${title}`,
      ...items.map((item) => renderItem(item, entry, anchors)),
    ]),
  ].join('\n\n')}\n`
}

/** In the order that they are shown in. */
function groupsOf({ items }) {
  const sorted = items.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return KINDS.map(([kind, title]) => [title, sorted.filter((item) => item.kind === kind)]).filter(
    ([, group]) => group.length > 0,
  )
}

function renderItem(item, entry, anchors) {
  const links = item.types.exported
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, entry: home }) =>
        `[${name}](${home === entry ? '' : home.page}#${anchors.get(name)})`,
    )
  return [
    `### ${item.name}`,
    codeBlock(item.code),
    item.doc,
    ...item.members.map((member) => renderMember(item, member)),
    links.length === 0 ? undefined : `See ${links.join(', ')}.`,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n')
}

function renderMember(item, { name, code, doc, isCallable }) {
  return [`#### ${item.name}.${name}${isCallable ? '()' : ''}`, codeBlock(code), doc]
    .filter((part) => part !== undefined)
    .join('\n\n')
}

function codeBlock(code) {
  return `\`\`\`ts\n${code}\n\`\`\``
}

/** Names of one page may differ in case only, which headings' anchors do not: the later one gets a number. */
function anchorsOf(pages) {
  const anchors = new Map()
  for (const page of pages) {
    const taken = new Set([page.entry.specifier.replaceAll(/[@/]/g, '')])
    for (const [title, items] of groupsOf(page)) {
      taken.add(title.toLowerCase())
      for (const { name } of items) {
        const anchor = name.toLowerCase()
        let unique = anchor
        for (let n = 1; taken.has(unique); n++) unique = `${anchor}-${n}`
        taken.add(unique)
        anchors.set(name, unique)
      }
    }
  }
  return anchors
}
