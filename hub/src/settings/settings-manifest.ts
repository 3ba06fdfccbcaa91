import { MusterError } from '@muster/base';
import {
  type HealthSettings,
  type SystemSettings,
  readSystemSettings,
  unsupportedIgnoreFields,
} from '@muster/kube';
import { compileCelChecks, luaProblem, settingFor } from '@muster/kube/scripts';
import { z } from 'zod';
import { issuesOf } from '../projects/issues.ts';

export const SETTINGS_NAME = 'argocd-cm';

const document = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata: z.looseObject({ name: z.literal(SETTINGS_NAME), namespace: z.string().optional() }),
  data: z.record(z.string().max(500), z.string()).default({}),
});

/** Settings that were checked, and what is kept of their document. */
export interface CheckedSettings {
  manifest: Record<string, unknown>;
  settings: SystemSettings;
}

/**
 * Checks an `argocd-cm` document. Throws MusterError `invalid` that names the key: what is no map or list, a script or
 * an expression that does not compile, a text that is no JSON pointer.
 */
export function checkSettings(written: unknown, where: string): CheckedSettings {
  const parsed = document.safeParse(written);
  if (!parsed.success) throw new MusterError('invalid', issuesOf(parsed.error), { where });
  const { metadata, data, ...rest } = parsed.data;
  const settings = readSystemSettings(data, where);
  checkHealth(settings.health, where);
  const [pointer] = unsupportedIgnoreFields(settings.ignoreDifferences);
  if (pointer !== undefined) throw new MusterError('invalid', `${pointer} is no JSON pointer`, { where });
  const { name, namespace = 'argocd' } = metadata;
  return { manifest: { ...rest, metadata: { name, namespace }, data }, settings };
}

function checkHealth(health: HealthSettings, where: string): void {
  for (const [kind, setting] of Object.entries(health)) {
    const { 'health.lua': lua, 'health.cel': cel } = setting;
    const problem = lua === undefined ? undefined : luaProblem(lua);
    if (problem !== undefined)
      throw new MusterError('invalid', problem, { where: `${where} health of ${kind}` });
    if (cel !== undefined) compileCelChecks(cel, `${where} health of ${kind}`);
  }
}

/** The checks of those kinds (`group/Kind`, core kinds by the bare Kind) that have one, as assignments carry them. */
export function checksOf(
  health: HealthSettings,
  kinds: Iterable<string>,
): { kind: string; lua: string; useOpenLibs: boolean; cel: Record<string, string> }[] {
  return [...new Set(kinds)].sort().flatMap((kind) => {
    const setting = settingFor(health, kind);
    if (!setting) return [];
    const {
      'health.lua': lua = '',
      'health.lua.useOpenLibs': openLibs = false,
      'health.cel': cel = {},
    } = setting;
    const empty = lua === '' && Object.keys(cel).length === 0;
    return empty ? [] : [{ kind, lua, useOpenLibs: String(openLibs) === 'true', cel: { ...cel } }];
  });
}
