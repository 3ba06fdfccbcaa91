import { field, type GroupRules, health, type Loose, need, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  '*': rule(
    when((o) => !o.kind.endsWith('Policy'), 'Healthy: {kind} is healthy'),
    when(
      (o) => field(o, 'status.ancestors'),
      (o) => {
        const wanted = o.metadata.generation;
        const old = o.status.ancestors.find(
          (a: Loose) =>
            wanted !== undefined && a.conditions.some((c: Loose) => c.observedGeneration !== wanted),
        );
        if (old)
          return health(
            'Progressing',
            `Waiting for Ancestor ${old.ancestorRef.name ?? ''} to update ${o.kind} status`,
          );
        let answer: ReturnType<typeof health> | undefined;
        for (const ancestor of o.status.ancestors) {
          const name = `Ancestor ${ancestor.ancestorRef.name ?? ''}: `;
          const counted = ancestor.conditions.filter(
            (c: Loose) => c.type === 'Accepted' || c.type === 'ResolvedRefs',
          );
          const bad = counted.find((c: Loose) => c.status !== 'True');
          if (bad) return health('Degraded', name + need(bad.message, 'message'));
          const accepted = counted.some((c: Loose) => c.type === 'Accepted');
          answer = accepted
            ? health('Healthy', `${o.kind} is healthy`)
            : health('Degraded', `${name}${o.kind} is not accepted`);
        }
        return answer;
      },
    ),
    'Progressing: Waiting for {kind} status',
  ),
};
