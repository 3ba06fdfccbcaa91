import { type GroupRules, health, listOf, type Loose, rule, type Step, when } from '../rules.ts';

/** kro: a Ready condition counts only for the generation that it names. */
const kro = (waiting: string, good: string, isActive: string, isFailure: (o: Loose) => boolean): Step =>
  rule(
    when((o) => !o.status, 'Progressing: Waiting for KRO to report status'),
    (o) => {
      const current = listOf(o, 'status.conditions').find(
        (c) =>
          c.type === 'Ready' &&
          c.observedGeneration !== undefined &&
          c.observedGeneration === o.metadata.generation,
      );
      if (!current) return undefined;
      if (current.status === 'False')
        return health(isFailure(o) ? 'Degraded' : 'Progressing', current.message);
      return current.status === 'True' && o.status.state === isActive ? health('Healthy', good) : undefined;
    },
    `Progressing: ${waiting}`,
  );

export const rules: GroupRules = {
  ResourceGraphDefinition: kro(
    'Waiting for ResourceGraphDefinition to become ready',
    'ResourceGraphDefinition is active and serving instances',
    'Active',
    () => true,
  ),
  // Any other kind of the group is an instance of a graph.
  '*': kro(
    'Waiting for instance to become ready',
    'Instance is active and running',
    'ACTIVE',
    (o) => o.status.state !== 'IN_PROGRESS',
  ),
};
