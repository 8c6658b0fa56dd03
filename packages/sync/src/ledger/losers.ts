/** What a decision on one entity leaves behind. */
import type { MemberView } from '../conflicts/group-view.ts'
import type { Answer } from '../conflicts/settle-group.ts'
import { sameState } from '../same-state.ts'
import type { RemoteState } from '../state/rows.ts'
import type { WholeValue } from './record-kept.ts'

/** The values that are nowhere any more once `answer` is carried out. */
export function losersOf(member: MemberView, answer: Answer): readonly WholeValue[] {
  const { ref, state, conflict, received } = member
  const { collection, entityId } = ref
  const { version, bytes, schemaVersion } = state
  const local: WholeValue = {
    ...{ collection, entityId },
    ...{ side: 'local', state: { version, bytes, schemaVersion } },
  }
  if (answer.type === 'takeRemote') return sameState(state, received) ? [] : [local]
  if (conflict === null) return []
  const remote: WholeValue = { collection, entityId, side: 'remote', state: conflict.remote }
  const lost = hasExisted(conflict.remote) ? [remote] : []
  return answer.type === 'merge' ? [local, ...lost] : lost
}

function hasExisted({ version, bytes }: RemoteState): boolean {
  return bytes !== null || version > 0
}
