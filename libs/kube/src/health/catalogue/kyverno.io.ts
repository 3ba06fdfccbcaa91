import {
  conditions,
  field,
  type GroupRules,
  health,
  listOf,
  type Loose,
  need,
  rule,
  type Step,
  when,
} from '../rules.ts';

export const rules: GroupRules = {
  ClusterPolicy: rule(
    conditions({ 'Ready=True': 'Healthy: {.message}', Ready: 'Degraded: {.message}' }),
    'Progressing: Waiting for ClusterPolicy to become ready',
  ),
  Policy: rule((o) => {
    const isGood = (c: Loose) =>
      c.type === 'Ready' && c.status === 'True' && c.reason === 'Succeeded' && c.message === 'Ready';
    return listOf(o, 'status.conditions').some(isGood) ? health('Healthy', 'Policy is ready') : undefined;
  }, 'Progressing: Waiting for Policy to be ready'),
};

/** Kinds whose own message counts where no condition has one. */
const OWN_MESSAGE = ['Deleting', 'Generating', 'ImageValidating'];
/** Kinds that tell of the webhook, whatever other conditions say. */
const BY_WEBHOOK = ['ImageValidating', 'Mutating', 'Validating'];

const admitted = (verb: string, kind: string): Step =>
  rule(
    when(
      (o) => field(o, 'status.conditionStatus'),
      (o) => {
        const { ready, message } = o.status.conditionStatus;
        const list = listOf(o, 'status.conditionStatus.conditions');
        const { generation } = o.metadata;
        if (generation !== undefined && list.some((c) => c.observedGeneration < generation))
          return health('Progressing', `Waiting for ${kind} status to reflect latest generation`);
        if (ready === true) {
          const good = list.find(
            (c) => c.status === 'True' && (!BY_WEBHOOK.includes(verb) || c.type === 'WebhookConfigured'),
          );
          const own = OWN_MESSAGE.includes(verb) ? message : undefined;
          return health('Healthy', good?.message ?? (own || 'Policy is ready'));
        }
        const bad = list.find((c) => c.status === 'False');
        if (bad) return health('Degraded', `${need(bad.type, 'type')}: ${need(bad.message, 'message')}`);
        return health('Degraded', message || 'Policy is not ready');
      },
    ),
    `Progressing: Waiting for ${kind} status`,
  );

export const policies: GroupRules = Object.fromEntries(
  ['Deleting', 'Generating', 'ImageValidating', 'Mutating', 'Validating'].flatMap((verb) =>
    [`${verb}Policy`, `Namespaced${verb}Policy`].map((kind) => [kind, admitted(verb, kind)]),
  ),
);
