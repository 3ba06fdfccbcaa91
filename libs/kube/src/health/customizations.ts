import { globMatches } from '../glob.ts';
import { groupKindString, keyOf, type KubeObject } from '../object.ts';
import type { HealthCheck, HealthOptions } from './assess.ts';
import { type CelChecks, compileCelChecks } from './cel.ts';
import { runHealthScript } from './lua.ts';

/**
 * The user's checks by `group/Kind` (core kinds by the bare Kind), `*` allowed and spanning dots: scripts in the
 * reference's own form, or CEL expressions.
 */
export type HealthSettings = Record<string, HealthSetting>;

/** One kind's setting. */
export interface HealthSetting {
  'health.lua'?: string;
  'health.lua.useOpenLibs'?: boolean | string;
  'health.cel'?: CelChecks;
}

/** Turns settings into what `assessHealth` takes. `now`: milliseconds since 1970. Throws MusterError `invalid` for CEL that does not compile. */
export function healthCustomizations(settings: HealthSettings, clock: { now: () => number }): HealthOptions {
  const checks = new Map<string, HealthCheck>();
  for (const [key, setting] of Object.entries(settings)) {
    const check = checkOf(key, setting, clock);
    if (check) checks.set(key, check);
  }
  return {
    customization: (object) => {
      const key = groupKindString(keyOf(object));
      return checks.get(key) ?? [...checks].find(([pattern]) => isWildcard(pattern, key))?.[1] ?? null;
    },
  };
}

function isWildcard(pattern: string, key: string): boolean {
  return pattern.includes('*') && globMatches(pattern, key);
}

function checkOf(key: string, setting: HealthSetting, clock: { now: () => number }): HealthCheck | undefined {
  const script = setting['health.lua'];
  if (script) {
    const openLibs = String(setting['health.lua.useOpenLibs'] ?? false) === 'true';
    return (object: KubeObject) => runHealthScript(script, object, { now: clock.now, openLibs });
  }
  return setting['health.cel'] ? compileCelChecks(setting['health.cel'], key) : undefined;
}
