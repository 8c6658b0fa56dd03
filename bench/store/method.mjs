// The part of docs/benchmarks.md that says how was measured.

export const METHOD = `## Method

<!-- not run: they take minutes to hours -->
\`\`\`sh
npm run bench -- store                        # every row but the long ones
npm run bench -- store --rows bulk,get        # some
npm run bench -- store --rows get-large,open-large --data /var/tmp/large   # 5 million entities
npm run bench -- store --scale                # 10 thousand, 100 thousand, 1 million
npm run bench -- store --rows get --profile   # where the time goes
\`\`\`

**Data.** 100,000 entities of 203 bytes as JSON (nine fields: strings, numbers, an array), ids of 16 random
characters, two indexes: \`status\` (5 values) and \`createdAt\` (all different, in no relation to the order of
insertion). Entity *i* is computed from *i*, so every engine and process has the same.

**Turns.** In every round each row is measured by all its engines, one after the other, each in a process of
its own; another engine begins in every round. Preparation, warm-up and checks are outside the time. A figure is
the median of the rounds in which the main thread waited for a core for at most 15 % of the time. If an engine
has no such round, all rounds of all engines count, and the row is marked *busy*. Compare within a row only: its
figures were taken side by side.

**Nothing is trusted.** Every process compares what it read with what the data set says: counts, a checksum
over every decoded field, the order of the index, what the indexes say after updates. A wrong result ends the run.

**Peers**, as their documentation recommends, the fastest of the ways that we tried:

| engine | how |
| --- | --- |
| entidb | strict durability, \`cacheBytes\` 64 MiB, all else as it comes. Reads are answered from its cache of decoded, frozen entities where it has them; \`entidb-uncached\` has that cache off |
| better-sqlite3 | WAL, \`synchronous=FULL\`, 64 MiB cache and a memory map; JSON text in a table without rowid, indexes over JSON expressions; scans page by page. Synchronous: commits of one process cannot share a flush |
| lmdb | MessagePack (its default), dupSort indexes; one commit at a time by \`transactionSync\`, concurrent ones by \`put\` and \`flushed\`. \`lmdb-cached\` has its object cache on |
| lmdb-structs | the same with \`sharedStructuresKey\`: field names stored once. Not among the peers of the least acceptable ratios, but shown beside them |
| classic-level | JSON, index keys by hand, one chained batch a transaction with \`sync: true\`, 64 MiB cache; \`getSync\`, \`getMany\` |
| limit | writes and flushes the JSON of the same entities and nothing else: at the end of a file, and over space that was allocated before |

Every commit of every engine is flushed before it counts (counted with strace: 200 commits one after the other
are 200 flushes or a few more in each engine). Entities that are put are new;
peers with indexes made by hand rely on that and look nothing up, while EntiDB and SQLite check.

**Rows.** Rows that write get a copy of the loaded database.

- \`bulk\`: one transaction in a process just started. \`disk\`: the space of all files after close.
- \`memory\`: after a load in transactions of 10,000 and a garbage collection, the database still open, less what a
  Node process that does nothing has.
- \`open\`: one open and one get in a process that has loaded the engine's modules and nothing more.
- \`get\`: 500,000 after every entity was read once. \`range\`: 500 from random places, after as many others.
  \`scan\`: five times all, after as many. The warm-up looks at every field, what is timed at one of each entity.
- \`single\`: 8,000 commits of one new entity after 2,000. \`concurrent\`: 64 x 500 after 64 x 125.
- \`update\`: after as many updates of others; changes \`visits\` and \`status\`, so that one of the two indexes changes.
- \`get-large\`, \`open-large\`: 5 million entities. \`memory-large\`: the most that was ever resident.
- With \`--scale\`, \`bulk\` is warmed up by a load of 20,000 into another database, and small collections are
  scanned several times, so that a cold process does not hide growth.

On a machine that others use too, \`--without-waiting\` leaves the time without a core out: good for a look at
rows whose work is done in the main thread, and never written into this page.`
