import { type GroupRules, health, listOf, type Loose, rule, type Step, when } from '../rules.ts';

/**
 * kro: conditions count only for the generation that they name. The first of them that says something decides: Ready
 * when True, the ones that were named when False and `whenFalse` has a word for it.
 */
const kro = (
  good: string,
  types: string[],
  waiting: string,
  whenFalse: (o: Loose) => 'Degraded' | 'Progressing' | undefined,
): Step =>
  rule(
    when((o) => !o.status?.conditions, 'Progressing: Waiting for KRO to report status'),
    (o) => {
      for (const c of listOf(o, 'status.conditions')) {
        const isCurrent =
          o.metadata.generation !== undefined && c.observedGeneration === o.metadata.generation;
        if (!isCurrent) continue;
        if (c.type === 'Ready' && c.status === 'True') return health('Healthy', good);
        const said = types.includes(c.type) && c.status === 'False' ? whenFalse(o) : undefined;
        if (said)
          return health(said, c.message ?? `${c.type} is ${said === 'Degraded' ? 'False' : 'in progress'}`);
      }
      return undefined;
    },
    `Progressing: ${waiting}`,
  );

const STATES: Record<string, 'Degraded' | 'Progressing'> = {
  FAILED: 'Degraded',
  ERROR: 'Degraded',
  IN_PROGRESS: 'Progressing',
};

export const rules: GroupRules = {
  ResourceGraphDefinition: kro(
    'ResourceGraphDefinition is active and serving instances',
    ['GraphRevisionsResolved', 'GraphAccepted', 'KindReady', 'ControllerReady', 'Ready'],
    'Waiting for ResourceGraphDefinition to become ready',
    () => 'Degraded',
  ),
  // Any other kind of the group is an instance of a graph.
  '*': kro(
    'Instance is active and running',
    ['InstanceManaged', 'GraphResolved', 'ResourcesReady', 'Ready'],
    'Waiting for instance to become ready',
    (o) => STATES[o.status.state],
  ),
};
