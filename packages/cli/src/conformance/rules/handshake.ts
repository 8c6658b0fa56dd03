/** The handshake, and who owns a deviceId: sections 6 and 2. */
import { bytesOf } from '../cbor-item.ts'
import { expectEqual, expectThat } from '../expectations.ts'
import { entityOf } from '../operation.ts'
import { known } from '../pushed.ts'
import type { Rule } from '../rule.ts'

export const handshakeRules: readonly Rule[] = [
  {
    id: 'handshake/simple',
    section: '6',
    holds:
      'a handshake of dbId and deviceId only is answered, with pull and push among the capabilities',
    check: async (bench) => {
      const { capabilities } = await bench.device().handshake()
      expectThat(capabilities.pull && capabilities.push, 'pull and push: true', capabilities)
    },
  },
  {
    id: 'handshake/cursor',
    section: '6',
    holds: 'serverCursor is the head',
    check: async (bench) => {
      const device = bench.device()
      const pushed = await device.push(device.put('e1'))
      expectEqual('serverCursor', await device.head(), pushed.head)
    },
  },
  {
    id: 'handshake/optional-fields',
    section: '6',
    holds: 'all optional fields and a later minor version are accepted; another epoch is no error',
    check: async (bench) => {
      const device = bench.device()
      const { epoch } = await device.handshake()
      const answer = await device.handshake({
        clientInfo: { platform: 'conformance', appVersion: '1' },
        protocol: [1, 99],
        replicaId: bench.newId(),
        lastOpId: 41,
        epoch: bench.newId(),
      })
      expectEqual('epoch', answer.epoch, epoch)
    },
  },
  {
    id: 'handshake/major',
    section: '6',
    holds: 'another major version is unsupported_protocol, with what is supported in details',
    needs: ['extensions'],
    check: async ({ api, dbId }) => {
      const request = { dbId, deviceId: 'conformance', protocol: [2, 0] }
      const error = await api.refused('handshake', request, 'unsupported_protocol')
      const majors = error.details?.supported?.map(([major]) => major) ?? []
      expectThat(majors.includes(1), 'details.supported with major 1', error.details)
    },
  },
  {
    id: 'handshake/field-types',
    section: '6',
    holds: 'an optional field of a handshake that has another type is invalid_request',
    needs: ['extensions'],
    check: async (bench) => {
      const { api, dbId } = bench
      const shake = { dbId, deviceId: bench.device().id }
      await api.refused('handshake', { ...shake, protocol: [1] }, 'invalid_request')
      await api.refused('handshake', { ...shake, protocol: '1.0' }, 'invalid_request')
      await api.refused('handshake', { ...shake, clientInfo: 'x' }, 'invalid_request')
      await api.refused('handshake', { ...shake, clientInfo: { platform: 1 } }, 'invalid_request')
      await api.refused('handshake', { ...shake, lastOpId: -1 }, 'invalid_request')
    },
  },
  {
    id: 'handshake/last-op-id',
    section: '6',
    holds:
      'lastOpId is the highest opId seen of the device, conflicts and rejections too, 0 if none',
    check: async (bench) => {
      const device = bench.device()
      const seen = async (): Promise<number> =>
        known((await device.handshake()).lastOpId, 'lastOpId')
      expectEqual('lastOpId of a new device', await seen(), 0)
      const first = device.put('e1')
      await device.push(first)
      await device.push(device.put('e2', {}, { entityVersion: 7 }))
      expectEqual('lastOpId after a conflict', await seen(), 2)
      await device.push(device.put('e3', {}, { entityCbor: bytesOf('ff') }))
      expectEqual('lastOpId after a rejection', await seen(), 3)
      await device.push(first)
      expectEqual('lastOpId after an old push, sent again', await seen(), 3)
      const reused = { ...first, entityCbor: entityOf('e1', { v: 2 }) }
      await device.refused('op_id_reused', [reused, device.put('e9', {}, { opId: 9 })])
      expectEqual('lastOpId after a push that was refused', await seen(), 3)
    },
  },
  {
    id: 'handshake/counts',
    section: '6',
    holds:
      'counts has the live entities of each collection that it names, and follows puts and deletes',
    check: async (bench) => {
      const device = bench.device()
      const count = async (): Promise<number> =>
        known((await device.handshake()).counts, 'counts')[device.collection] ?? 0
      const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id))
      const pushed = await device.push(...ops)
      expectEqual('count after three puts', await count(), 3)
      const [first] = pushed.revisions(...ops)
      await device.push(device.put('e1', { v: 2 }, { entityVersion: first ?? 0 }))
      expectEqual('count after another put of one', await count(), 3)
      const [, second = 0] = pushed.revisions(...ops)
      await device.push(device.delete('e2', second))
      expectEqual('count after a delete', await count(), 2)
    },
  },
  {
    id: 'handshake/repeated',
    section: '6',
    holds: 'a handshake may be repeated and changes nothing but who owns the deviceId',
    check: async (bench) => {
      const device = bench.device()
      const replicaId = bench.newId()
      const first = await device.handshake({ replicaId, lastOpId: 5 })
      expectEqual('the second answer', await device.handshake({ replicaId, lastOpId: 5 }), first)
    },
  },
  {
    id: 'replica/takeover',
    section: '2',
    holds: 'the replica that shook hands last owns the deviceId and pushes and pulls',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      await device.handshake({ replicaId: bench.newId() })
      const replicaId = bench.newId()
      await device.handshake({ replicaId })
      const op = device.put('e1')
      expectEqual('outcome', (await device.pushWith({ replicaId }, op)).outcomeOf(op), 'committed')
      await device.pull(await device.head(), { deviceId: device.id, replicaId })
    },
  },
  {
    id: 'replica/superseded-handshake',
    section: '2',
    holds: 'the handshake of a superseded replica is device_conflict, for ever',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const [first, second, third] = [bench.newId(), bench.newId(), bench.newId()]
      const shake = { dbId: bench.dbId, deviceId: device.id }
      for (const replicaId of [first, second]) await device.handshake({ replicaId })
      await bench.api.refused('handshake', { ...shake, replicaId: first }, 'device_conflict')
      await device.handshake({ replicaId: third })
      for (const replicaId of [first, second]) {
        await bench.api.refused('handshake', { ...shake, replicaId }, 'device_conflict')
      }
      await device.handshake({ replicaId: third })
    },
  },
  {
    id: 'replica/superseded-push',
    section: '2',
    holds: 'the push of a superseded replica is device_conflict, and nothing of it is written',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const replicaId = bench.newId()
      for (const id of [replicaId, bench.newId()]) await device.handshake({ replicaId: id })
      await device.refused('device_conflict', [device.put('e1')], { replicaId })
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
    },
  },
  {
    id: 'replica/superseded-pull',
    section: '2',
    holds: 'the pull of a superseded replica is device_conflict',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const replicaId = bench.newId()
      for (const id of [replicaId, bench.newId()]) await device.handshake({ replicaId: id })
      const pull = { dbId: bench.dbId, sinceCursor: 0, deviceId: device.id, replicaId }
      await bench.api.refused('pull', pull, 'device_conflict')
    },
  },
  {
    id: 'replica/unmet',
    section: '2',
    holds: 'a replica that never shook hands is served, and takes the deviceId from nobody',
    check: async (bench) => {
      const device = bench.device()
      const owner = { replicaId: bench.newId() }
      const unmet = { replicaId: bench.newId() }
      await device.handshake(owner)
      const op = device.put('e1')
      expectEqual('outcome', (await device.pushWith(unmet, op)).outcomeOf(op), 'committed')
      await device.pull(await device.head(), { deviceId: device.id, ...unmet })
      const next = device.put('e2')
      expectEqual('of the owner', (await device.pushWith(owner, next)).outcomeOf(next), 'committed')
      await device.handshake(owner)
    },
  },
  {
    id: 'replica/unnamed',
    section: '2',
    holds: 'a request without a replicaId is served, whoever owns the deviceId',
    check: async (bench) => {
      const device = bench.device()
      for (const id of [bench.newId(), bench.newId()]) await device.handshake({ replicaId: id })
      const op = device.put('e1')
      expectEqual('outcome', (await device.push(op)).outcomeOf(op), 'committed')
      await device.handshake()
    },
  },
]
