/** The links of Markdown pages to each other: every one leads to a file that is there, and to a heading in it. */
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import type { Page, PageProblem } from './page.ts'

/** `exists` tells whether there is a file or folder of that name in the repository. */
export function brokenLinks(
  pages: readonly Page[],
  exists: (name: string) => boolean = existsSync,
): readonly PageProblem[] {
  const anchorsByName = new Map(pages.map((page) => [page.name, anchorsOf(page)]))
  return pages.flatMap((page) =>
    linksOf(page).flatMap(({ line, target }) => {
      const [path = '', anchor] = target.split('#')
      const name =
        path === '' ? page.name : posix.normalize(posix.join(posix.dirname(page.name), path))
      const problem = (message: string) => [{ page: page.name, line, message }]
      if (!exists(name)) return problem(`no such file: ${target}`)
      if (anchor === undefined || anchorsByName.get(name)?.has(anchor) !== false) return []
      return problem(`no such heading: ${target}`)
    }),
  )
}

/** Of what leads to the repository itself. */
function linksOf({ text }: Page): readonly { readonly line: number; readonly target: string }[] {
  return withoutCode(text).flatMap((content, i) =>
    [...content.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => ({ line: i + 1, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  )
}

/** As GitHub makes them of headings; a heading that comes again gets a number. */
function anchorsOf({ text }: Page): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const content of withoutCode(text)) {
    const [, heading] = /^#{1,6} (.+)$/.exec(content) ?? []
    if (heading === undefined) continue
    const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    const anchor = plain.replaceAll(' ', '-')
    let unique = anchor
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`
    anchors.add(unique)
  }
  return anchors
}

/** Lines, those of code blocks empty. */
function withoutCode(text: string): readonly string[] {
  let isCode = false
  return text.split('\n').map((content) => {
    const isFence = /^\s*(```|~~~)/.test(content)
    if (isFence) isCode = !isCode
    return isCode || isFence ? '' : content
  })
}
