import { type GroupRules, health, type Loose, need, rule, when } from '../rules.ts';

const STATUS: Record<string, string> = {
  Failed: 'Degraded',
  Progressing: 'Progressing',
  Finalising: 'Progressing',
  Promoting: 'Progressing',
  Succeeded: 'Healthy',
  Initialized: 'Healthy',
};

export const rules: GroupRules = {
  Canary: rule(
    when((o) => !o.status, 'Unknown: No status'),
    (o) => {
      const weight = Number(need(o.status.canaryWeight, 'status.canaryWeight'));
      const parts = weight > 0 ? [`Canary Weight: ${o.status.canaryWeight} %`] : [];
      parts.push(
        ...need(o.status.conditions as Loose[] | undefined, 'status.conditions').map((c) =>
          need(c.message, 'message'),
        ),
      );
      return health(
        STATUS[o.status.phase] ?? 'Unknown',
        [need(o.status.phase, 'status.phase'), parts.join(' --- ')].join(' --- '),
      );
    },
  ),
};
