import { field, type GroupRules, health, listOf, type Loose, rule, type Step } from '../rules.ts';

/** A policy attached to Gateways: judged by the ancestors whose conditions are all of the present generation. */
const policy = (kind: string): Step =>
  rule((o) => {
    const wanted = field(o, 'metadata.generation');
    const current = listOf(o, 'status.ancestors').filter((ancestor) => {
      const list = listOf(ancestor, 'conditions');
      if (list.length === 0) return false;
      const isOld = (c: Loose) => c.observedGeneration !== undefined && c.observedGeneration !== wanted;
      return wanted === undefined || !list.some(isOld);
    });
    const bad = current
      .flatMap((ancestor) => listOf(ancestor, 'conditions'))
      .find((c) => c.type === 'Accepted' && c.status === 'False');
    if (bad) return health('Degraded', bad.message);
    return current.length > 0 ? health('Healthy', `${kind} is healthy`) : undefined;
  }, `Progressing: Waiting for ${kind} status`);

export const rules: GroupRules = {
  Backend: rule((o) => {
    const accepted = listOf(o, 'status.conditions').find((c) => c.type === 'Accepted');
    if (!accepted) return undefined;
    if (accepted.observedGeneration !== undefined && accepted.observedGeneration !== o.metadata.generation) {
      return health('Progressing', 'Waiting for Backend status to be updated');
    }
    return health(accepted.status === 'True' ? 'Healthy' : 'Degraded', accepted.message);
  }, 'Progressing: Waiting for Backend status'),
  BackendTrafficPolicy: policy('BackendTrafficPolicy'),
  ClientTrafficPolicy: policy('ClientTrafficPolicy'),
  EnvoyExtensionPolicy: policy('EnvoyExtensionPolicy'),
  EnvoyPatchPolicy: policy('EnvoyPatchPolicy'),
  SecurityPolicy: policy('SecurityPolicy'),
};
