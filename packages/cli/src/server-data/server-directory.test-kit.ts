/** The folder of a real sync server, with what two devices pushed into it. */
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodePushResponse,
  encodePushRequest,
  PUSH_PATH,
  type PushResponse,
  type SyncOperation,
} from '@entidb/protocol'
import { createSyncHandler, silentLogger, staticTokens } from '@entidb/server'

export const dbId = 'shop'

/** A put of `{ id, value }`, or a delete when `value` is null. */
export function operation(
  deviceId: string,
  opId: number,
  entityId: string,
  base: number,
  value: string | null,
): SyncOperation {
  return {
    dbId,
    deviceId,
    opId,
    collection: 'items',
    entityId,
    opType: value === null ? 'DELETE' : 'PUT',
    entityVersion: base,
    entityCbor: value === null ? null : encodeEntity({ id: entityId, value }),
  }
}

/** Pushes each of the lists of operations, and closes the server again. */
export async function pushInto(
  dataDir: string,
  ...pushes: readonly (readonly SyncOperation[])[]
): Promise<readonly PushResponse[]> {
  const handler = createSyncHandler({
    dataDir,
    auth: staticTokens({ secret: { subject: 'test', databases: '*', access: 'write' } }),
    createDatabases: true,
    logger: silentLogger,
  })
  const responses: PushResponse[] = []
  for (const ops of pushes) {
    const response = await handler.fetch(
      new Request(`https://server.test${PUSH_PATH}`, {
        method: 'POST',
        headers: { authorization: 'Bearer secret', 'content-type': 'application/cbor' },
        body: encodePushRequest({ dbId, deviceId: ops[0]?.deviceId ?? 'nobody', ops }) as BodyInit,
      }),
    )
    if (response.status !== 200) throw new Error(`push: ${response.status}`)
    responses.push(decodePushResponse(new Uint8Array(await response.arrayBuffer())))
  }
  await handler.close()
  return responses
}
