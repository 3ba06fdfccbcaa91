import { field, type GroupRules, health, listOf, need, rule, type Step, when } from '../rules.ts';

/** The operator's installations: all of `good` must be True; False in `waiting`, or any Unknown, is on the way. */
const installation = (kind: string, good: string[], waiting: string[]): Step =>
  rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const list = listOf(o, 'status.conditions');
        const message = list
          .map((c, i) => `${i + 1}: ${need(c.type, 'type')} | ${need(c.status, 'status')}\n`)
          .join('');
        const moving = list.some(
          (c) => c.status === 'Unknown' || (c.status === 'False' && waiting.includes(c.type)),
        );
        if (moving) return health('Progressing', message);
        const done = list.filter((c) => c.status === 'True' && good.includes(c.type)).length;
        return done === good.length ? health('Healthy', `${kind} is healthy.`) : health('Degraded', message);
      },
    ),
    `Progressing: Waiting for ${kind}`,
  );

export const operator: GroupRules = {
  KnativeEventing: installation('KnativeEventing', ['Ready', 'InstallSucceeded'], ['Ready']),
  KnativeServing: installation(
    'KnativeServing',
    ['Ready', 'InstallSucceeded', 'DependenciesInstalled', 'DeploymentsAvailable'],
    ['Ready', 'DeploymentsAvailable'],
  ),
};

const GOOD = ['ConfigurationsReady', 'RoutesReady', 'Ready'];

export const serving: GroupRules = {
  Service: rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const list = listOf(o, 'status.conditions');
        const bad = list.filter((c) => c.status === 'False' || c.status === 'Unknown');
        const message = bad
          .map(
            (c) =>
              `${need(c.type, 'type')} is ${c.status}${c.reason ? `, since ${c.reason}.` : ''}${c.message ? ` ${c.message}` : ''}\n`,
          )
          .join('');
        const good = list.filter((c) => c.status === 'True' && GOOD.includes(c.type)).length;
        if (good === GOOD.length && bad.length === 0) return health('Healthy', 'Knative Service is healthy.');
        return health(bad.some((c) => c.status === 'False') ? 'Degraded' : 'Progressing', message);
      },
    ),
    'Progressing: Waiting for status update.',
  ),
};
