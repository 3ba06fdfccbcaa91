import { ANNOTATION } from '../annotations.ts';
import { annotationOf, keyOf, type KubeObject } from '../object.ts';
import { managedFieldsOf } from '../managed-fields.ts';
import { holdsField } from './field-sets.ts';

/** A tool besides Muster that keeps track of the objects it applied. */
export type Tool = 'argocd' | 'flux' | 'helm';

/** What an Application says by `muster.dev/adopt`. */
export type Adopt = Tool | 'any';

/** One tool's claim to an object, and the marks that it is known by. */
export interface Tracker {
  tool: Tool;
  /** In words: `Argo CD Application shop`, `Flux Kustomization flux-system/apps`, `Helm release prod/web`. */
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** An object that another tool tracks. */
export interface Foreign {
  /**
   * The word of `muster.dev/adopt` that takes it over: its tool; `any` where there are several. Helm beside a controller
   * does not count, as it acts only when somebody runs it.
   */
  tool: Adopt;
  /** In words, all that track it. */
  by: string;
}

/** Field managers of each tool's releases so far. */
export const TOOL_MANAGERS: Record<Tool, RegExp> = {
  argocd: /^argocd-(application-)?controller$/,
  flux: /^(kustomize-controller|helm-controller|flux.*|gotk-.*)$/,
  helm: /^(helm[34]?|helm-controller|terraform-provider-helm.*)$/,
};

const ARGOCD_ID = 'argocd.argoproj.io/tracking-id';
const ARGOCD_INSTALLATION = 'argocd.argoproj.io/installation-id';
const ARGOCD_INSTANCE = 'argocd.argoproj.io/instance';
const INSTANCE = 'app.kubernetes.io/instance';
const RELEASE = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';

/** Reads `muster.dev/adopt`; undefined for what is none of its words. */
export function parseAdopt(text: string): Adopt | undefined {
  return ['argocd', 'flux', 'helm', 'any'].find((each): each is Adopt => each === text);
}

/**
 * The tools that track a live object. A mark that the manifest carries too proves nothing by itself, nor does one of
 * which many are the writers: then a field manager of the tool must own it. Without `desired` that holds for all marks.
 */
export function trackersOf(live: KubeObject, desired?: KubeObject): Tracker[] {
  const look = new Look(live, desired);
  const flux = fluxOf(look);
  const found = [argocdOf(look), flux, helmOf(look)].filter((each) => each !== undefined);
  // What Flux installs by Helm carries the marks of both, and is Flux's.
  const helm = found.find(({ tool }) => tool === 'helm');
  if (!flux || !helm || !('helm.toolkit.fluxcd.io/name' in flux.labels)) return found;
  Object.assign(flux.annotations, helm.annotations);
  return found.filter((each) => each !== helm);
}

/** Whose an object is that these tools track; undefined: nobody's. */
export function foreignOf(trackers: readonly Tracker[]): Foreign | undefined {
  const [tool, another] = new Set(leading(trackers).map((each) => each.tool));
  return tool && { tool: another ? 'any' : tool, by: trackers.map(({ name }) => name).join(' and ') };
}

/** Whether what an Application says lets Muster take over an object that these tools track. */
export function mayAdopt(trackers: readonly Tracker[], adopt: string): boolean {
  return trackers.length === 0 || adopt === 'any' || leading(trackers).every(({ tool }) => tool === adopt);
}

function leading(trackers: readonly Tracker[]): readonly Tracker[] {
  const controllers = trackers.filter(({ tool }) => tool !== 'helm');
  return controllers.length > 0 ? controllers : trackers;
}

/** Reads marks off one object. */
class Look {
  readonly live: KubeObject;
  private readonly desired: KubeObject | undefined;

  constructor(live: KubeObject, desired: KubeObject | undefined) {
    this.live = live;
    this.desired = desired;
  }

  /** The value of a mark that proves something; with `strict` only where a manager of the tool wrote it. */
  mark(tool: Tool, where: 'labels' | 'annotations', key: string, strict = false): string | undefined {
    const value = this.live.metadata[where]?.[key];
    if (typeof value !== 'string' || value === '') return undefined;
    const carried = !this.desired || this.desired.metadata[where]?.[key] !== undefined;
    return !(carried || strict) || this.wrote(tool, where, key) ? value : undefined;
  }

  private wrote(tool: Tool, where: 'labels' | 'annotations', key: string): boolean {
    return managedFieldsOf(this.live).some(
      ({ manager = '', fieldsV1 }) =>
        TOOL_MANAGERS[tool].test(manager) && fieldsV1 && holdsField(fieldsV1, ['metadata', where, key]),
    );
  }

  /** Those of these keys that the object has. */
  all(where: 'labels' | 'annotations', keys: string[]): Record<string, string> {
    const marks: Record<string, string> = {};
    for (const key of keys) {
      const value = this.live.metadata[where]?.[key];
      if (typeof value === 'string') marks[key] = value;
    }
    return marks;
  }
}

function argocdOf(look: Look): Tracker | undefined {
  const id = look.mark('argocd', 'annotations', ARGOCD_ID);
  const application = id === undefined ? undefined : argocdApplication(id, look.live);
  const annotations = look.all('annotations', [ARGOCD_ID, ARGOCD_INSTALLATION]);
  if (application) return { tool: 'argocd', name: application, labels: {}, annotations };
  const [key, instance] = [
    [ARGOCD_INSTANCE, look.mark('argocd', 'labels', ARGOCD_INSTANCE)] as const,
    // Most charts write this one.
    [INSTANCE, look.mark('argocd', 'labels', INSTANCE, true)] as const,
  ].find(([, value]) => value !== undefined) ?? ['', undefined];
  if (instance === undefined) return undefined;
  return { tool: 'argocd', name: named(instance), labels: { [key]: instance }, annotations: {} };
}

/** The Application of `app:group/Kind:namespace/name`; undefined where that names another object: it was copied. */
function argocdApplication(id: string, live: KubeObject): string | undefined {
  const match = /^([^:]+):([^/:]*)\/([^/:]+):([^/]*)\/(.+)$/.exec(id);
  if (!match) return undefined;
  const [, application, group, kind, namespace, name] = match;
  const is = keyOf(live);
  // Of objects without a namespace the id has the destination's.
  const here = is.namespace === '' || namespace === is.namespace;
  return group === is.group && kind === is.kind && name === is.name && here ? named(application!) : undefined;
}

/** Applications outside of Argo CD's namespace are written as `namespace_name`. */
const named = (application: string) => `Argo CD Application ${application.replace('_', '/')}`;

function fluxOf(look: Look): Tracker | undefined {
  const labels: Record<string, string> = {};
  const names: string[] = [];
  for (const [prefix, kind] of [
    ['kustomize.toolkit.fluxcd.io', 'Kustomization'],
    ['helm.toolkit.fluxcd.io', 'HelmRelease'],
  ] as const) {
    const name = look.mark('flux', 'labels', `${prefix}/name`);
    if (name === undefined) continue;
    const marks = look.all('labels', [`${prefix}/name`, `${prefix}/namespace`]);
    const namespace = marks[`${prefix}/namespace`];
    Object.assign(labels, marks);
    names.push(`Flux ${kind} ${namespace ? `${namespace}/` : ''}${name}`);
  }
  if (names.length === 0) return undefined;
  return { tool: 'flux', name: names.join(' and '), labels, annotations: {} };
}

function helmOf(look: Look): Tracker | undefined {
  const release = look.mark('helm', 'annotations', RELEASE);
  if (release !== undefined) {
    const annotations = look.all('annotations', [RELEASE, RELEASE_NAMESPACE]);
    const namespace = annotations[RELEASE_NAMESPACE];
    const name = `Helm release ${namespace ? `${namespace}/` : ''}${release}`;
    return { tool: 'helm', name, labels: {}, annotations };
  }
  // Helm writes no release on hooks.
  const hook = look.mark('helm', 'annotations', ANNOTATION.helmHook, true);
  if (hook === undefined || annotationOf(look.live, RELEASE) !== undefined) return undefined;
  return { tool: 'helm', name: 'a hook of a Helm release', labels: {}, annotations: {} };
}
