import { MusterError } from '@muster/base';
import type { RolloutPolicy } from '@muster/rollout';
import type { Config } from '../../config.ts';
import { readHeaders } from './gate-headers.ts';
import { hostRefusal } from './gate-hosts.ts';

type Gate = RolloutPolicy['stages'][number]['gates'][number];
type GateConfig = Pick<Config, 'gateHosts' | 'gateHeadersDir' | 'prometheusUrl'>;

/** Throws `precondition` that names every gate which this hub is not set up to measure. */
export function requireMeasurable(policy: RolloutPolicy, config: GateConfig): void {
  const problems = policy.stages.flatMap(({ name, gates }) =>
    gates.flatMap((gate) => {
      const problem = problemOf(gate, config);
      return problem ? [`stage "${name}", gate "${gate.name}": ${problem}`] : [];
    }),
  );
  if (problems.length === 0) return;
  throw new MusterError('precondition', problems.slice(0, 10).join('; '), {
    where: `RolloutPolicy ${policy.name}`,
    hint: 'who runs the hub allows it by its settings: docs/configuration.md',
  });
}

function problemOf(gate: Gate, config: GateConfig): string | undefined {
  if (gate.kind === 'prometheus' && gate.from === 'hub' && config.prometheusUrl === undefined)
    return 'the hub has no Prometheus (MUSTER_PROMETHEUS_URL)';
  if (gate.kind !== 'http') return undefined;
  const refused = hostRefusal(config.gateHosts, gate.url);
  if (refused || gate.headersFrom === null) return refused;
  try {
    readHeaders(config.gateHeadersDir, gate.headersFrom);
    return undefined;
  } catch (thrown) {
    return MusterError.from(thrown).message;
  }
}
