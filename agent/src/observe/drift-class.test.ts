import { expect, it } from 'vitest';
import { driftClass } from './drift-class.ts';

it.each([
  ['kubectl-edit', 'person'],
  ['kubectl', 'person'],
  ['kubectl-client-side-apply', 'person'],
  ['k9s', 'person'],
  ['Mozilla', 'person'],
  ['helm', 'person'],
  ['muster-action', 'person'],
  ['kube-controller-manager', 'controller'],
  ['horizontal-pod-autoscaler', 'controller'],
  ['ocean-operator', 'controller'],
  ['cert-manager-cainjector', 'controller'],
])('takes %s for a %s', (manager, expected) => {
  expect(driftClass({ manager, operation: 'Update', timeMs: 1 }, true)).toBe(expected);
});

it('calls what was never applied as assigned pending, whoever wrote last', () => {
  expect(driftClass({ manager: 'kubectl', operation: 'Update', timeMs: 1 }, false)).toBe('pending');
});
