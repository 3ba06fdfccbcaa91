import { conditionOf, field, type GroupRules, health, listOf, rule, type Step } from '../rules.ts';

/** A policy attached to Gateways: judged by the ancestors whose conditions are of the present generation. */
const policy = (kind: string): Step =>
  rule((o) => {
    const wanted = field(o, 'metadata.generation');
    const current = listOf(o, 'status.ancestors').flatMap((ancestor) =>
      listOf(ancestor, 'conditions').filter(
        (c) => wanted === undefined || c.observedGeneration === undefined || c.observedGeneration === wanted,
      ),
    );
    const bad = current.find((c) => c.type === 'Accepted' && c.status === 'False');
    if (bad) return health('Degraded', bad.message ?? `${kind} is not accepted`);
    return current.some((c) => c.type === 'Accepted' && c.status === 'True')
      ? health('Healthy', `${kind} is healthy`)
      : undefined;
  }, `Progressing: Waiting for ${kind} status`);

export const rules: GroupRules = {
  Backend: rule((o) => {
    const accepted = conditionOf(o, 'Accepted');
    if (!accepted) return undefined;
    if (accepted.observedGeneration !== undefined && accepted.observedGeneration !== o.metadata.generation) {
      return health('Progressing', 'Waiting for Backend status to be updated');
    }
    if (accepted.status === 'True') return health('Healthy', accepted.message);
    return accepted.status === 'False' ? health('Degraded', accepted.message) : undefined;
  }, 'Progressing: Waiting for Backend status'),
  BackendTrafficPolicy: policy('BackendTrafficPolicy'),
  ClientTrafficPolicy: policy('ClientTrafficPolicy'),
  EnvoyExtensionPolicy: policy('EnvoyExtensionPolicy'),
  EnvoyPatchPolicy: policy('EnvoyPatchPolicy'),
  SecurityPolicy: policy('SecurityPolicy'),
};
