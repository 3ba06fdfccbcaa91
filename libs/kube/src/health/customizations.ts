import { globMatches } from '../glob.ts';
import { groupKindString, keyOf, type KubeObject } from '../object.ts';
import type { HealthCheck, HealthOptions } from './assess.ts';
import type { HealthSetting, HealthSettings } from '../system-settings.ts';
import { compileCelChecks } from './cel.ts';
import { runHealthScript } from './lua.ts';

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

/** The setting for an object: its own kind's, else the first wildcard's. */
export function settingFor(settings: HealthSettings, groupKind: string): HealthSetting | undefined {
  return (
    settings[groupKind] ?? Object.entries(settings).find(([pattern]) => isWildcard(pattern, groupKind))?.[1]
  );
}

function isWildcard(pattern: string, key: string): boolean {
  return /[*?[{\\]/.test(pattern) && globMatches(pattern, key);
}

function checkOf(key: string, setting: HealthSetting, clock: { now: () => number }): HealthCheck | undefined {
  const script = setting['health.lua'];
  if (script) {
    const openLibs = String(setting['health.lua.useOpenLibs'] ?? false) === 'true';
    return (object: KubeObject) => runHealthScript(script, object, { now: clock.now, openLibs });
  }
  return setting['health.cel'] ? compileCelChecks(setting['health.cel'], key) : undefined;
}
