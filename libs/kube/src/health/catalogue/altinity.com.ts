import { byValue, type GroupRules, rule, type Step } from '../rules.ts';

const installation = (label: string): Step =>
  rule(
    byValue('status.status', {
      Completed: `Healthy: ${label} installation completed successfully`,
      InProgress: `Progressing: ${label} installation in progress`,
      '*': `Degraded: ${label} status: {status.status}`,
    }),
    `Progressing: ${label} status not yet available`,
  );

export const keeper: GroupRules = { ClickHouseKeeperInstallation: installation('ClickHouseKeeper') };
export const clickhouse: GroupRules = { ClickHouseInstallation: installation('ClickHouse') };
