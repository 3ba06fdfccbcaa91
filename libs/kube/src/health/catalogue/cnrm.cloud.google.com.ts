import { byValue, conditions, field, type GroupRules, isStale, type Loose, rule, when } from '../rules.ts';

/** A generation of 0 was never written. */
const isOld = (o: Loose) => o.status.observedGeneration !== 0 && isStale(o);

/** Google's Config Connector: its own kinds say `status.healthy`, resources give a reason. */
export const rules: GroupRules = {
  '*': rule(
    when(
      (o) => typeof field(o, 'status.healthy') === 'boolean' && !isOld(o),
      byValue('status.healthy', {
        true: 'Healthy: {kind} is healthy',
        false: 'Degraded: {kind} is not healthy',
      }),
    ),
    when(
      (o) => o.status && !isOld(o),
      conditions({
        '*=True/UpToDate': 'Healthy: {.message}',
        '*/UpdateFailed': 'Degraded: {.message}',
        '*/DependencyNotFound': 'Degraded: {.message}',
        '*/DependencyNotReady': 'Suspended: {.message}',
      }),
    ),
    'Progressing: Update in progress',
  ),
};
