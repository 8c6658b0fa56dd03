// What the reference lacks: docstrings, and types that are named and not exported.

/** Named where nobody but our own tests gives one. */
const FOR_TESTS = new Set(['Engine'])

/** @returns {string[]} */
export function apiProblems({ pages }) {
  return pages.flatMap(({ entry, header, items }) => [
    ...(header === undefined ? [`${entry.specifier} has no comment that says what it is`] : []),
    ...items.flatMap((item) => [
      ...(item.doc === undefined ? [`${entry.specifier}: ${item.name} has no docstring`] : []),
      ...item.undocumented.map(
        (name) => `${entry.specifier}: ${item.name}.${name} has no docstring`,
      ),
      ...item.types.hidden
        .filter((name) => !FOR_TESTS.has(name))
        .map(
          (name) => `${entry.specifier}: ${item.name} names ${name}, which no entry point exports`,
        ),
    ]),
  ])
}
