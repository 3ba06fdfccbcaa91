import { field, type GroupRules, health, listOf, rule, type Step, when } from '../rules.ts';

/** Conditions that are bad when True. */
const NEGATIVE = ['FolderUIDMismatch', 'NoMatchingInstance', 'InvalidSpec'];

/** All conditions up to the first that is bad, told in one message. */
const told: Step = (o) => {
  let status = 'Progressing';
  const parts: string[] = [];
  for (const c of listOf(o, 'status.conditions')) {
    if (c.status === undefined) continue;
    const type =
      c.type === undefined ? '' : ` for ${c.type}${c.message === undefined ? '' : ` because ${c.message}`}`;
    parts.push(c.reason === undefined ? '' : `${c.reason}${type}`);
    const bad = NEGATIVE.includes(c.type) ? 'True' : 'False';
    if (c.status === 'True' && bad === 'False') status = 'Healthy';
    if (c.status === bad) {
      status = 'Degraded';
      break;
    }
  }
  return health(status, parts.filter((part, i) => part !== '' || i > 0).join(', '));
};

export const rules: GroupRules = {
  Grafana: rule(
    when((o) => field(o, 'status.stageStatus') === undefined, 'Progressing: Waiting for Grafana status info'),
    when((o) => o.status.stageStatus === 'failed', 'Degraded: Failed at stage {status.stage}'),
    when((o) => o.status.stage === 'complete' && o.status.stageStatus === 'success', 'Healthy'),
    'Progressing: {status.stage}',
  ),
  GrafanaDashboard: told,
  GrafanaDatasource: rule(
    when((o) => !o.status || o.status.uid === '', 'Progressing'),
    when((o) => o.status.NoMatchingInstances, "Degraded: can't find matching grafana instance"),
    'Healthy',
  ),
  GrafanaFolder: told,
};
