/** Every rule, in the order of the protocol's page. What takes long comes last. */
import type { Rule } from '../rule.ts'
import { accessRules } from './access.ts'
import { byteRules } from './bytes.ts'
import { compressionRules } from './compression.ts'
import { entityRules } from './entities.ts'
import { epochRules } from './epochs.ts'
import { handshakeRules } from './handshake.ts'
import { httpRules } from './http.ts'
import { nameRules } from './names.ts'
import { orderRules } from './order.ts'
import { packedRules } from './packed.ts'
import { pullRules } from './pull.ts'
import { pullGroupRules } from './pull-groups.ts'
import { largePullRules } from './pull-large.ts'
import { pushAnswerRules } from './push-answer.ts'
import { pushFormRules } from './push-form.ts'
import { pushGroupRules } from './push-groups.ts'
import { repeatedPushRules } from './push-repeated.ts'
import { revisionRules } from './revisions.ts'
import { snapshotRules } from './snapshot.ts'
import { streamRules } from './stream.ts'
import { verifyRules } from './verify.ts'

export const allRules: readonly Rule[] = [
  ...nameRules,
  ...revisionRules,
  ...byteRules,
  ...entityRules,
  ...httpRules,
  ...compressionRules,
  ...orderRules,
  ...accessRules,
  ...handshakeRules,
  ...pullRules,
  ...pullGroupRules,
  ...packedRules,
  ...snapshotRules,
  ...pushFormRules,
  ...repeatedPushRules,
  ...pushAnswerRules,
  ...pushGroupRules,
  ...epochRules,
  ...verifyRules,
  ...largePullRules,
  ...streamRules,
]
