import { byValue, type GroupRules, rule } from '../rules.ts';

const none = 'Unknown: Component is not present.';
const updating = 'Progressing: Component is being updated to a different version.';
const reconciling =
  'Progressing: Controller has started but not yet completed reconciliation loop for the component.';
const good = 'Healthy: Component is healthy.';
const bad = 'Degraded: Component is in an error state.';

export const rules: GroupRules = {
  IstioOperator: rule(
    byValue('status.status', {
      0: none,
      NONE: none,
      1: updating,
      UPDATING: updating,
      2: reconciling,
      RECONCILING: reconciling,
      3: good,
      HEALTHY: good,
      4: bad,
      ERROR: bad,
    }),
    'Progressing: Waiting for Istio Control Plane',
  ),
};
