// The part of docs/benchmarks.md that says how was measured.

export const METHOD = `## Method

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
its own; another engine begins in every round. A figure is the median of the rounds in which its process waited for a
core at most 15 % of the time; if one engine has no such round, all rounds of all engines count, and the row is
marked *busy* below. Only figures of one row
are to be compared: they were taken side by side. Preparation, warm-up and checks are outside the time.

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

Every commit of every engine is flushed before it counts (seen with strace). Entities that are put are new;
peers with indexes made by hand rely on that and look nothing up, while EntiDB and SQLite check.

**Rows.** \`single\` and \`concurrent\` commit 2,000 and 64 x 100 new entities to the loaded database. \`get\` makes
200,000 gets after every entity was read once. \`range\` reads 100 runs. \`update\` changes \`visits\` and
\`status\`, so one of the two indexes moves. \`open\` is one open in a fresh process whose modules are loaded.
With \`--scale\`, \`bulk\` is warmed up by a
load of 20,000 into another database, and small collections are scanned several times. \`disk\` is the space of all files after close. \`memory\` loads in transactions of 10,000, collects garbage, and
subtracts a Node process that does nothing. \`memory-large\` is the most that was ever resident.`
