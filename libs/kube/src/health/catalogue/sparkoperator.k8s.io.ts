import { byValue, field, type GroupRules, type Loose, requires, rule, when } from '../rules.ts';

/** How many executors dynamic allocation may run: from the spec, or from Spark's own configuration; undefined without it. */
function executorRange(o: Loose): [number, number] | undefined {
  const { dynamicAllocation, sparkConf } = o.spec;
  if (dynamicAllocation?.enabled) {
    return [dynamicAllocation.minExecutors ?? 0, dynamicAllocation.maxExecutors ?? Number.POSITIVE_INFINITY];
  }
  for (const prefix of ['spark.streaming.dynamicAllocation', 'spark.dynamicAllocation']) {
    if (sparkConf?.[`${prefix}.enabled`] !== 'true') continue;
    return [
      Number(sparkConf[`${prefix}.minExecutors`] ?? 0),
      Number(sparkConf[`${prefix}.maxExecutors`] ?? Number.POSITIVE_INFINITY),
    ];
  }
  return undefined;
}

function isRunning(o: Loose): boolean {
  const running = Object.values(o.status.executorState).filter((state) => state === 'RUNNING').length;
  if (o.spec.executor.instances !== undefined && o.spec.executor.instances === running) return true;
  const range = executorRange(o);
  if (range) return running >= range[0] && running <= range[1];
  return o.spec.dynamicAllocation === undefined && o.spec.executor.instances === undefined && running >= 1;
}

const error = 'Degraded: {status.applicationState.errorMessage}';

export const rules: GroupRules = {
  SparkApplication: rule(
    when((o) => o.status, requires('status.applicationState')),
    when(
      (o) =>
        field(o, 'status.applicationState.state') === 'RUNNING' && o.status.executorState && isRunning(o),
      'Healthy: SparkApplication is Running',
    ),
    byValue('status.applicationState.state', {
      '': 'Progressing: SparkApplication was added, enqueuing it for submission',
      SUBMITTED: 'Progressing: SparkApplication was submitted successfully',
      COMPLETED: 'Healthy: SparkApplication was Completed',
      FAILED: error,
      SUBMISSION_FAILED: error,
      PENDING_RERUN: 'Progressing: SparkApplication is Pending Rerun',
      INVALIDATING: 'Missing: SparkApplication is in InvalidatingState',
      SUCCEEDING: 'Progressing: The driver pod has completed; executor pods are being cleaned up',
      FAILING: error,
      UNKNOWN: 'Progressing: SparkApplication is in UnknownState because the state of its pods is not known',
    }),
    'Progressing: Waiting for Executor pods',
  ),
};
