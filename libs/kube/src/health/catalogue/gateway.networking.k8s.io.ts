import { field, type GroupRules, health, listOf, type Loose, need, rule, type Step, when } from '../rules.ts';

/** Whether every condition was written for the present generation, or does not say. */
function isCurrent(o: Loose, holder: Loose): boolean {
  const wanted = o.metadata.generation;
  if (wanted === undefined) return true;
  const list: Loose[] = holder.conditions ?? [];
  if (list.length === 0) return false;
  return list.every((c) => c.observedGeneration === undefined || c.observedGeneration === wanted);
}

/** ResolvedRefs and Accepted speak against it, then Programmed is waited for. */
function judge(holder: Loose, what: string, prefix: string): ReturnType<typeof health> | undefined {
  const list: Loose[] = holder.conditions ?? [];
  for (const type of ['ResolvedRefs', 'Accepted']) {
    const bad = list.find((c) => c.type === type && c.status === 'False');
    if (bad) return health('Degraded', `${prefix}${bad.message ?? `Failed condition: ${type}`}`);
  }
  const waiting = list.find((c) => c.type === 'Programmed' && c.status !== 'True');
  return (
    waiting && health('Progressing', `${prefix}${waiting.message ?? `${what} is still being programmed`}`)
  );
}

const parentPrefix = (parent: Loose) => `Parent ${parent.parentRef.name ?? ''}: `;

/** A route: the first parent that objects decides; parents whose conditions are old are left out. */
const route = (kind: string): Step =>
  rule((o) => {
    const parents = listOf(o, 'status.parents').filter((parent) => isCurrent(o, parent));
    for (const parent of parents.filter((p) => p.conditions)) {
      const answer = judge(parent, 'Route', parentPrefix(parent));
      if (answer) return answer;
    }
    return parents.some((parent) => parent.conditions?.length > 0)
      ? health('Healthy', `${kind} is healthy`)
      : undefined;
  }, `Progressing: Waiting for ${kind} status`);

/** A TLSRoute: any parent that objects, else any that is still programmed, else any that has accepted it, else waits. */
const tlsRoute: Step = rule((o) => {
  const parents = listOf(o, 'status.parents').filter(
    (parent) => parent.conditions?.length > 0 && isCurrent(o, parent),
  );
  const prefix = (parent: Loose) => `Parent ${parent.parentRef?.name ?? ''}: `;
  const isTrue = (parent: Loose, type: string) =>
    parent.conditions.find((c: Loose) => c.type === type)?.status === 'True';
  const judged = parents.map((parent) => ({
    parent,
    answer: judge(parent, 'Route', prefix(parent)),
    accepted: isTrue(parent, 'Accepted') && isTrue(parent, 'ResolvedRefs'),
  }));
  const refused =
    judged.find(({ answer }) => answer?.status === 'Degraded') ?? judged.find(({ answer }) => answer);
  if (refused) return refused.answer;
  if (judged.some(({ accepted }) => accepted)) return health('Healthy', 'TLSRoute is healthy');
  const [first] = judged;
  return first && health('Progressing', `${prefix(first.parent)}Waiting for TLSRoute conditions`);
}, 'Progressing: Waiting for TLSRoute status');

/** A Gateway or ListenerSet: its own conditions, then those of its listeners. */
const listeners = (o: Loose, what: string) =>
  judge(o.status, what, '') ??
  listOf(o, 'status.listeners')
    .map((listener) => judge(listener, 'Listener', 'Listener: '))
    .find((answer) => answer);

export const rules: GroupRules = {
  BackendTLSPolicy: rule(
    when(
      (o) => field(o, 'status.ancestors'),
      (o) => {
        const old = o.status.ancestors.find(
          (a: Loose) =>
            o.metadata.generation !== undefined &&
            a.conditions.some(
              (c: Loose) =>
                c.observedGeneration !== undefined && c.observedGeneration !== o.metadata.generation,
            ),
        );
        if (old) {
          return health(
            'Progressing',
            `Waiting for Ancestor ${old.ancestorRef.name ?? ''} to update BackendTLSPolicy status`,
          );
        }
        let accepted = false;
        for (const ancestor of o.status.ancestors) {
          for (const c of ancestor.conditions) {
            if (c.type !== 'Accepted' && c.type !== 'ResolvedRefs') continue;
            if (c.status !== 'True') {
              return health(
                'Degraded',
                `Ancestor ${ancestor.ancestorRef.name ?? ''}: ${need(c.message, 'message')}`,
              );
            }
            if (c.type === 'Accepted') accepted = true;
          }
        }
        return accepted ? health('Healthy', 'BackendTLSPolicy is healthy') : undefined;
      },
    ),
    'Progressing: Waiting for BackendTLSPolicy status',
  ),
  GRPCRoute: route('GRPCRoute'),
  HTTPRoute: route('HTTPRoute'),
  TLSRoute: tlsRoute,
  Gateway: rule(
    when(
      (o) => o.status,
      (o) => listeners(o, 'Gateway'),
    ),
    when(
      (o) => field(o, 'status.conditions') || listOf(o, 'status.listeners').length > 0,
      'Healthy: Gateway is healthy',
    ),
    'Progressing: Waiting for Gateway status',
  ),
  GatewayClass: rule((o) => {
    const accepted = listOf(o, 'status.conditions').find(
      (c) =>
        c.type === 'Accepted' &&
        (c.observedGeneration === undefined ||
          o.metadata?.generation === undefined ||
          c.observedGeneration === o.metadata.generation),
    );
    if (!accepted) return undefined;
    if (accepted.status === 'True') return health('Healthy', accepted.message ?? 'GatewayClass is accepted');
    if (accepted.status === 'False')
      return health('Degraded', accepted.message ?? 'GatewayClass is not accepted');
    return health('Progressing', accepted.message ?? 'Waiting for GatewayClass status');
  }, 'Progressing: Waiting for GatewayClass status'),
  ListenerSet: rule((o) => {
    if (!o.status) return undefined;
    const wanted = o.metadata.generation;
    const isOld = (c: Loose) => c.observedGeneration !== undefined && c.observedGeneration !== wanted;
    if (wanted !== undefined && listOf(o, 'status.conditions').some(isOld)) return undefined;
    const own = need(o.status.conditions, 'status.conditions') as Loose[];
    const refused = own.find((c) => c.type === 'Accepted' && c.status === 'False');
    if (refused) return health('Degraded', need(refused.message, 'message'));
    const waiting = own.findLast((c) => c.type === 'Programmed' && c.status !== 'True');
    if (waiting) return health('Progressing', waiting.message ?? 'ListenerSet is still being programmed');
    const all = listOf(o, 'status.listeners');
    for (const listener of all) {
      const answer = judge(listener, 'Listener', 'Listener: ');
      if (answer) return answer;
    }
    return all.length > 0 ? health('Healthy', 'ListenerSet is healthy') : undefined;
  }, 'Progressing: Waiting for ListenerSet status'),
};
