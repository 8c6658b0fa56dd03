// The part of docs/benchmarks-sync.md that says how was measured.

export const METHOD = `## Method

<!-- not run: they take minutes to an hour -->
\`\`\`sh
npm run bench -- sync                         # every row
npm run bench -- sync --rows first-sync,push  # some
npm run bench -- sync --engines entidb,yjs
npm run bench -- sync --rows memory-large --engines entidb,yjs   # peers too, which are left out unless named
npm run bench -- sync --quick --entities 2000 # does everything run?
\`\`\`

**Data.** As for the [store](benchmarks.md): entities of 203 bytes as JSON, computed from their numbers, ids of 16
random characters. No stack has secondary indexes.

**Turns.** In every round each row is measured by all its engines, one after the other; another engine begins in every
round. The server, the device that is measured, and the other device if there is one are each a Node process of their
own; they talk over loopback. The server was loaded, its process and the database on the device are open, and no
connection is, before the time is taken. A figure is the median of the rounds in which the main thread of the measured
device waited for a core for at most 15 % of the time. If an engine has no such round, all rounds of all engines count,
and the row is marked *busy*. Compare within a row only: its figures were taken side by side.

**Nothing is trusted.** After every measurement the number of entities on the device and a digest of all their fields are
compared with what the data set says (\`push\`: on a second device that pulls them); after \`converge\` all fields of all
entities on both devices. A wrong result ends the run.

**Engines.** What each promises differs; nobody is made to do more than it does by itself:

| engine | way | device | server | weaker than EntiDB |
| --- | --- | --- | --- | --- |
| entidb | HTTPS, \`nodeFetch\` | directory, strict durability: every commit flushed | directory, every commit flushed before it is answered | |
| pouchdb | HTTP | LevelDB, not flushed | express-pouchdb on LevelDB, not flushed | no TLS, no flush. Keeps both edits of a conflict and shows the same one everywhere: surfaced, not merged; \`converge\` does not settle them |
| rxdb | HTTP, server-sent events, the \`fetch\` of Node | **memory only**: of its free storages for Node none holds so many entities on disk | its replication protocol in a server of 80 lines, on SQLite, a commit for each push, not flushed (\`synchronous=NORMAL\`) | no TLS, no flush, nothing on the device survives its process. Conflicts are found; its default handler, used here, drops the device's edit |
| tinybase | WebSocket | memory; the whole store as a JSON file after each sync, not flushed, **not after a live edit** | memory; the whole store as a JSON file after changes | no TLS, no flush, a live edit is sent before it is stored. Merges by field and clock, the earlier edit of a field is gone silently. Takes no part with 100,000: its WebSocket server has at most 16 MiB in flight, and sends a first sync in one answer |
| yjs | WebSocket (y-websocket) | memory, updates in LevelDB (y-leveldb), not flushed | the server of y-websocket, updates in LevelDB, not flushed, answers before they are written | no TLS, no flush, a live edit is sent before it is stored. One map of plain objects: of two edits of an entity one is gone silently |
| limit | HTTPS, \`nodeFetch\` | one file, written and flushed page by page; of a live edit three writes on one device and one on the other, as with ours | sends the very bytes that a first sync of ours is answered; flushes a live edit before it answers and wakes the other device, which asks for it | not an engine: it looks at nothing, and only says what Node, TLS and the disk allow |

EntiDB merges by \`mergeFields({ people: { contested: 'remote' } })\`: edits of different fields are all kept, of a field
that both changed the server's value stays, and the other is in the ledger. Neither TinyBase nor Yjs says when a
server has everything: Yjs is asked for its state once more, which it answers in order; TinyBase's server is asked
every 5 ms for its content hashes, until they are the device's. TinyBase's server is loaded through its file.

**Rows.**

- \`first-sync\`: 100,000 into an empty device, in a process just started, from a server that has served another device
  before; \`-small\`: 20,000. In all other rows the server, too, was just started. \`memory\`: the most that was
  ever resident in that process until the sync ended, over what was before it; \`memory-large\`: of 1 million, ours
  alone unless others are named.
- \`read-wait\`: 100,000, while the application reads one entity after the other, here already or not. A read is wanted as
  soon as the one before was answered, and waits for a turn of the host (\`setImmediate\`) and for the answer; the row is the
  longest.
- \`push\`: 20,000 written offline in transactions of 100, to a server that has none.
- \`live-p50\`, \`live-p99\`: 2,000 edits one after the other, after 1,000, of random ones of 20,000: from the call that stores an
  edit until the feed or listener of a device in another process has it and it can be read there. Both processes read one
  monotonic clock. Of the peers only PouchDB stores an edit on both ends and checks for conflicts: the bound is over it.
- \`converge\`: both devices have 5,000 entities. Offline, one changes \`city\` and \`visits\` of each, the other \`score\` and
  \`visits\`. Then both sync at once, again until all fields of all entities agree; comparing is outside the time.
  The result is what a merge of both edits by field may give (EntiDB, TinyBase), or one of the edits (the others).
- \`wire\`: the bytes of a first sync of 20,000 in both directions through a relay, with headers, handshakes and TLS, over
  those of the entities as CBOR. \`wire-gzip\`: gzip of HTTP, or permessage-deflate where the way is a WebSocket. On
  loopback EntiDB asks for no compression by itself; the row makes it.

What a long history costs a server is measured by \`npm run bench -- history\`.`
