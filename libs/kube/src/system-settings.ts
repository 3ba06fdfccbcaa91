import { type Json, MusterError, parseDocument } from '@muster/base';
import type { CelChecks } from './health/cel.ts';
import type { IgnoreRule } from './ignore.ts';
import { isRecord } from './object.ts';

/** One kind's health check: a script in the reference's own form, or CEL expressions. */
export interface HealthSetting {
  'health.lua'?: string;
  'health.lua.useOpenLibs'?: boolean | string;
  'health.cel'?: CelChecks;
}

/**
 * The user's checks by `group/Kind` (core kinds by the bare Kind), `*` allowed and spanning dots.
 */
export type HealthSettings = Record<string, HealthSetting>;

/** What the hub obeys of the reference's `argocd-cm`. */
export interface SystemSettings {
  health: HealthSettings;
  ignoreDifferences: IgnoreRule[];
  /** Keys without an effect here. */
  notices: string[];
}

const PREFIX = 'resource.customizations';
const MAX_TEXT = 1024 * 1024;
/** What Go reads as true. */
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/**
 * Reads the data of an `argocd-cm` ConfigMap: `resource.customizations` as one YAML map by `group/Kind`, and the keys
 * `resource.customizations.health.GROUP_KIND`, `….useOpenLibs.…` and `….ignoreDifferences.…` (or `….all`). Throws
 * MusterError `invalid` with the key for what cannot be read, `limit` for more than 1 MiB.
 */
export function readSystemSettings(data: Record<string, string>, where: string): SystemSettings {
  const settings: SystemSettings = { health: {}, ignoreDifferences: [], notices: [] };
  const size = Object.values(data).reduce((sum, text) => sum + text.length, 0);
  if (size > MAX_TEXT) throw new MusterError('limit', `more than ${MAX_TEXT} characters`, { where });
  for (const [key, text] of Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = `${where} ${key}`;
    if (key === PREFIX) readWhole(text, at, settings);
    else if (key.startsWith(`${PREFIX}.`)) readOne(key.slice(PREFIX.length + 1), text, at, settings);
    else settings.notices.push(`${key} has no effect`);
  }
  return settings;
}

/** `group/Kind: {health.lua: …, ignoreDifferences: …}` for any number of kinds. */
function readWhole(text: string, where: string, settings: SystemSettings): void {
  for (const [kind, value] of Object.entries(mapOf(parseDocument(text, { file: where }), where))) {
    const { ignoreDifferences, ...rest } = mapOf(value, `${where} ${kind}`);
    const health: Record<string, Json> = {};
    for (const [name, setting] of Object.entries(rest)) {
      if (name.startsWith('health.')) health[name] = setting;
      else settings.notices.push(`${PREFIX} ${kind} ${name} has no effect`);
    }
    if (Object.keys(health).length > 0) setHealth(settings, kind, health);
    if (ignoreDifferences !== undefined) {
      const written =
        typeof ignoreDifferences === 'string' ? parseDocument(ignoreDifferences) : ignoreDifferences;
      settings.ignoreDifferences.push(ruleOf(kind, written, `${where} ${kind}`));
    }
  }
}

/** `health.GROUP_KIND`, where a core kind has no GROUP, `*` no place of its own and `all` is every kind with a group. */
function readOne(name: string, text: string, where: string, settings: SystemSettings): void {
  const [field = '', ...rest] = name.split('.');
  const suffix = rest.join('.');
  const kind = suffix === 'all' ? '*/*' : suffix.replace('_', '/').replace(/^\//, '');
  if (field === 'health') setHealth(settings, kind, { 'health.lua': text });
  else if (field === 'useOpenLibs') setHealth(settings, kind, { 'health.lua.useOpenLibs': TRUE.has(text) });
  else if (field === 'ignoreDifferences') {
    const written = parseDocument(text, { file: where });
    settings.ignoreDifferences.push(ruleOf(kind, written, where));
  } else settings.notices.push(`${PREFIX}.${name} has no effect`);
}

function setHealth(settings: SystemSettings, kind: string, fields: Record<string, Json>): void {
  settings.health[kind] = { ...settings.health[kind], ...fields } as HealthSetting;
}

function ruleOf(kind: string, written: Json, where: string): IgnoreRule {
  const [group, name] = kind.includes('/') ? (kind.split('/', 2) as [string, string]) : ['', kind];
  const fields = mapOf(written, where);
  const texts = (field: string): string[] => {
    const value = fields[field] ?? [];
    if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
      throw new MusterError('invalid', `${field} is not a list of texts`, { where });
    return value as string[];
  };
  return {
    group,
    kind: name,
    jsonPointers: texts('jsonPointers'),
    jqPathExpressions: texts('jqPathExpressions'),
    managedFieldsManagers: texts('managedFieldsManagers'),
  };
}

function mapOf(value: Json | undefined, where: string): Record<string, Json> {
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) throw new MusterError('invalid', 'is not a map', { where });
  return value as Record<string, Json>;
}
