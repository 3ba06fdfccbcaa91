import { MusterError } from '@muster/base';
import { Environment } from '@marcbachmann/cel-js';
import type { KubeObject } from '../object.ts';
import type { HealthCheck } from './assess.ts';
import { health } from './rules.ts';
import { type Health, type HealthStatus, unknown } from './status.ts';

/**
 * Expressions over the object as `self` (and its members `status`, `spec`, `metadata`): the first that is true gives
 * the status; none: Progressing. `message` may be an expression that gives text.
 */
export interface CelChecks {
  failed?: string;
  suspended?: string;
  current?: string;
  inProgress?: string;
  message?: string;
}

/** Asked in this order, as in Flux. */
const ORDER: [keyof CelChecks, HealthStatus][] = [
  ['inProgress', 'Progressing'],
  ['failed', 'Degraded'],
  ['suspended', 'Suspended'],
  ['current', 'Healthy'],
];

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  limits: {
    maxAstNodes: 2000,
    maxDepth: 100,
    maxListElements: 1000,
    maxMapEntries: 1000,
    maxCallArguments: 32,
  },
});

/** Compiles checks once; `where` names them in errors. Throws MusterError `invalid` for an expression that does not parse. */
export function compileCelChecks(checks: CelChecks, where: string): HealthCheck {
  const compiled = new Map(
    Object.entries(checks).map(([name, source]) => [name, compile(String(source), `${where} ${name}`)]),
  );
  return (object) => {
    try {
      return evaluate(compiled, object);
    } catch (thrown) {
      return unknown(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
}

type Program = (context: Record<string, unknown>) => unknown;

function compile(source: string, where: string): Program {
  try {
    return environment.parse(source) as Program;
  } catch (thrown) {
    throw new MusterError('invalid', thrown instanceof Error ? thrown.message : String(thrown), {
      where,
      cause: thrown,
    });
  }
}

/** CEL tells integers from doubles; JSON's whole numbers are meant as integers. */
function withIntegers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withIntegers(member)]));
}

function evaluate(programs: Map<string, Program>, object: KubeObject): Health {
  const self = withIntegers(object) as KubeObject;
  const context = { status: {}, spec: {}, ...self, self };
  const status = ORDER.find(([name]) => programs.get(name)?.(context) === true)?.[1] ?? 'Progressing';
  const message = programs.get('message')?.(context);
  return health(status, typeof message === 'string' ? message : '');
}
