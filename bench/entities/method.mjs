// The part of docs/benchmarks-entities.md that says how was measured.

export const METHOD = `## Method

<!-- not run: they take minutes to an hour -->
\`\`\`sh
npm run bench -- entities                     # every row
npm run bench -- entities --rows equal,range  # some
npm run bench -- entities --engines entidb,better-sqlite3
npm run bench -- entities --scale             # 10 thousand, 100 thousand, 1 million
npm run bench -- entities --rows equal --profile   # where the time goes
\`\`\`

**Data.** As for the [store](benchmarks.md): 100,000 entities of 203 bytes as JSON, computed from their numbers.
Four indexes: \`status\` (5 values), \`createdAt\` (all different, in no relation to the order of insertion),
\`email\` (unique), and \`status\` with \`createdAt\` (composite).

**Turns.** In every round each row is measured by all its engines, one after the other, each in a process of
its own; another engine begins in every round. Preparation, warm-up (as much work as is measured) and checks are
outside the time. A figure is the median of the rounds in which the main thread waited for a core for at most 15 %
of the time. If an engine has no such round, all rounds of all engines count, and the row is marked *busy*.
Compare within a row only: its figures were taken side by side.

**Nothing is trusted.** Every process compares what it was answered with what the data set says: counts, a
checksum over every decoded field, and for ranges, lookups and pages each id in its place. A wrong result ends
the run. The warm-up looks at every field, what is timed at one of each entity (\`filter\`: at all of those that pass).

**Engines**, as their documentation recommends, the fastest of the ways that we tried:

| engine | where | how |
| --- | --- | --- |
| entidb | directory | strict durability, \`cacheBytes\` 64 MiB, all else as it comes. Answers come from its cache of decoded, frozen entities where it has them; \`entidb-uncached\` has that cache off, \`entidb-memory\` is \`memoryStorage()\` |
| better-sqlite3 | file | WAL, \`synchronous=FULL\`, 64 MiB cache and a memory map; JSON text, indexes over JSON expressions |
| pouchdb | LevelDB | \`pouchdb-find\` with the four indexes. It does a hundredth of the others' work, and figures are by operation |
| rxdb | memory | its memory storage; answers with its documents. It has no unique index: \`lookup\` reads an ordinary one |
| tinybase | memory | rows are put together from cells for each reader. Its indexes are sorted slices: a place in one is found by bisection in the adapter |
| lokijs | memory | **hands out the very objects it stores**: nothing is decoded or copied, and whoever changes one changes the store |
| nedb | memory | answers with deep copies. Its compound index serves equality only |

Peers of the least acceptable ratios are those with a durable store: better-sqlite3 and PouchDB. Those in memory
load all entities anew in every process, and are shown to say how far they are. What one of them does slowly it does
less often (RxDB, LokiJS and NeDB a hundredth to a tenth of the lookups, pages and live changes, TinyBase a tenth of
the pages).

**Rows.**

- \`equal\`: 25 times all entities of a status (a fifth of all), in any order.
- \`range\`: 500 times the 1,000 entities between two values of \`createdAt\`, in its order, from random places.
- \`lookup\`: 200,000 times one entity by its \`email\`, one after the other.
- \`newest\`: 10,000 times the 20 newest of a status. \`page\`: 10,000 times the 20 newest of a status before a random
  time. \`-small\`: of 10 thousand entities; \`-large\`: of 1 million.
- \`filter\`: five times all entities by a function that lets 1 % through.
- \`live-commit\`: commits of one entity in 20 batches in a database with 1,000 live queries open and 20 in its copy
  without any, by turns; the ratio of the medians. No commit concerns a live query: a quarter of them are by id, a quarter by \`email\`, a quarter
  of a status and a time with order and limit, a quarter of a stretch of time. None of them is told of anything, or the
  run ends.
- \`live-diff\`: 2,000 commits that each change one entity of a live query of 1,000, from the call of \`put\` until the
  listener has the changed entity, the median. RxDB tells the whole result, and its adapter compares; TinyBase
  tells the row, and its result has no order.

On a machine that others use too, \`--without-waiting\` leaves the time without a core out: good for a look at
rows whose work is done in the main thread, and never written into this page.`
