import { type GroupRules, health, listOf, type Loose, type Step } from '../rules.ts';

const atlas =
  (isMoving: (c: Loose) => boolean): Step =>
  (o) => {
    const condition = listOf(o, 'status.conditions').find((c) => c.type === 'Ready');
    if (!condition) return health('Progressing', 'Waiting for Atlas Operator');
    if (condition.status === 'True') return health('Healthy', condition.reason);
    return health(isMoving(condition) ? 'Progressing' : 'Degraded', condition.reason);
  };

export const rules: GroupRules = {
  AtlasMigration: atlas((c) => c.reason === 'Reconciling'),
  AtlasSchema: atlas((c) => c.message === 'Reconciling' || c.message === 'GettingDevDB'),
};
