import { field, type GroupRules, health, listOf, type Loose, rule, when } from '../rules.ts';

/** An upgrade that waits for a person is no fault of the subscription, if something is installed already. */
const waitsForApproval = (o: Loose) =>
  o.spec?.installPlanApproval === 'Manual' &&
  o.status.installedCSV !== undefined &&
  listOf(o, 'status.conditions').some(
    (c) => c.type === 'InstallPlanPending' && c.status === 'True' && c.reason === 'RequiresApproval',
  );

const isBad = (c: Loose) =>
  (c.type === 'InstallPlanMissing' && c.reason !== 'ReferencedInstallPlanNotFound') ||
  (['CatalogSourcesUnhealthy', 'InstallPlanFailed', 'ResolutionFailed'].includes(c.type) &&
    c.status === 'True');

function stateOf(state: unknown, manual: boolean): { pending: boolean; bad: boolean; message: string } {
  if (state === undefined) return { pending: true, bad: false, message: '.status.state not yet known\n' };
  const held = state === 'UpgradePending' && manual;
  const pending = !held && ['', 'UpgradeAvailable', 'UpgradePending'].includes(state as string);
  const note = held ? ' (manual InstallPlan approval pending; treated as healthy)' : '';
  return { pending, bad: state === 'UpgradeFailed', message: `.status.state is '${state}'${note}\n` };
}

export const rules: GroupRules = {
  Subscription: rule(
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const manual = waitsForApproval(o);
        const told = listOf(o, 'status.conditions')
          .map((c, i) => [c, i + 1] as const)
          .filter(([c]) => !(manual && c.type === 'InstallPlanPending'));
        const state = stateOf(field(o, 'status.state'), manual);
        const bad = state.bad || told.some(([c]) => isBad(c));
        const pending =
          state.pending || told.some(([c]) => c.type === 'InstallPlanPending' && c.status === 'True');
        const message = told.map(([c, i]) => `${i}: ${c.type} | ${c.status}\n`).join('') + state.message;
        return health(bad ? 'Degraded' : pending ? 'Progressing' : 'Healthy', message);
      },
    ),
    'Progressing: An install plan for a subscription is pending installation',
  ),
};
