import { field, type GroupRules, health, listOf, rule, type Step, when } from '../rules.ts';

/** All conditions up to the first that is False, told in one message. */
const told: Step = (o) => {
  let status = 'Progressing';
  const parts: string[] = [];
  for (const c of listOf(o, 'status.conditions')) {
    if (c.status === undefined) continue;
    const type =
      c.type === undefined ? '' : ` for ${c.type}${c.message === undefined ? '' : ` because ${c.message}`}`;
    parts.push(c.reason === undefined ? '' : `${c.reason}${type}`);
    if (c.status === 'True') status = 'Healthy';
    if (c.status === 'False') {
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
