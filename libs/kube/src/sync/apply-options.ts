import type { FieldPath, PathStep } from '../field-path.ts';
import type { KubeObject } from '../object.ts';
import { syncOption } from './prune.ts';

/** How an object is written. */
export interface ApplyOptions {
  /** As a whole, instead of by server-side apply. */
  replace: boolean;
  /** Deleted and made anew where a change is refused; with `replace` always. */
  force: boolean;
  /** Fields that its type does not have are an error; else they are left out. */
  validate: boolean;
}

/**
 * `Replace`, `Force` and `Validate` of an object: what its own sync-options say, else what holds for the whole sync
 * (the value of the Application's option, or what a sync command asks for).
 */
export function applyOptionsOf(
  object: KubeObject,
  general: (option: 'Replace' | 'Force' | 'Validate') => string | undefined,
): ApplyOptions {
  const value = (option: 'Replace' | 'Force' | 'Validate') => syncOption(object, option) ?? general(option);
  return {
    replace: value('Replace') === 'true',
    force: value('Force') === 'true',
    validate: value('Validate') !== 'false',
  };
}

/** Kinds whose deletion takes data or other objects along: never made anew. */
export function isRecreatable({ apiVersion, kind }: KubeObject): boolean {
  if (kind === 'CustomResourceDefinition') return !apiVersion.startsWith('apiextensions.k8s.io/');
  return !(apiVersion === 'v1' && PRECIOUS.has(kind));
}

const PRECIOUS = new Set(['Namespace', 'PersistentVolumeClaim', 'PersistentVolume']);

/**
 * The fields that an API server names as unknown to a type (`.spec.a[name="b"].c: field not declared in schema`); none
 * when it says something else.
 */
export function undeclaredFields(message: string): FieldPath[] {
  const paths = [...message.matchAll(/((?:\.[^\s:]+?|\[[^\]]*\])+): field not declared in schema/g)];
  return paths.flatMap(([, path]) => parseFieldPath(path!) ?? []);
}

function parseFieldPath(text: string): FieldPath[] | undefined {
  const path: PathStep[] = [];
  const part = /\.([^.[\]]+)|\[(\d+)\]|\[([^\]]+)\]/y;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    const [, key, index, item] = match;
    if (key !== undefined) path.push(key);
    else if (index !== undefined) path.push(Number(index));
    else {
      const told = keysOfItem(item!);
      if (!told) return undefined;
      path.push({ keys: told });
    }
  }
  return [path];
}

/** `name="main",port=80`. */
function keysOfItem(text: string): Record<string, string | number | boolean> | undefined {
  try {
    const pairs = text.split(/,(?=[A-Za-z]\w*=)/).map((pair) => {
      const equals = pair.indexOf('=');
      return [
        pair.slice(0, equals),
        JSON.parse(pair.slice(equals + 1)) as string | number | boolean,
      ] as const;
    });
    return Object.fromEntries(pairs);
  } catch {
    return undefined;
  }
}
