import type { Application, ApplicationSource } from '@muster/appset';
import { type JsonObject, canonicalJson, sha256 } from '@muster/base';
import type { HelmRequest, KustomizeRequest } from '@muster/renderer';
import type { RenderAsked, RenderReads } from '../store/schema.ts';
import { parsePin } from '../sources/charts/pin.ts';
import type { Tool } from './tool.ts';

/** What one Application asks to be rendered; equal keys give equal objects from equal files. */
export type RenderInput = { key: string } & (
  | { tool: 'directory'; path: string; options: NonNullable<ApplicationSource['directory']> }
  | {
      tool: 'helm';
      request: Omit<HelmRequest, 'kubeVersion' | 'apiVersions'>;
      fixed: Capabilities | undefined;
    }
  | { tool: 'kustomize'; request: KustomizeRequest }
);

/** What a cluster can do, as templates may ask. */
export interface Capabilities {
  kubeVersion: string;
  apiVersions: string[];
}

export interface InputContext {
  application: Application;
  source: ApplicationSource;
  tool: Tool;
  /** As of `sourcePath`. */
  path: string;
  repositoryId: string;
  /** Repositories of the sources that it refers to, by ref. */
  refs?: Record<string, string> | undefined;
  commit: string;
  rendererVersion: string;
}

/** The inputs that are known before rendering; files, clock, seed and capabilities join once the render asked for them. */
export function renderInput(context: InputContext): RenderInput {
  const input = inputOf(context);
  const key = sha256(
    canonicalJson({
      // Grows when the same input would be rendered to something else: what was rendered before is made again.
      v: 2,
      repository: context.repositoryId,
      ...(context.refs ? { refs: context.refs } : {}),
      renderer: input.tool === 'directory' ? '' : context.rendererVersion,
      ...input,
    }),
  );
  return { ...input, key } as RenderInput;
}

type Unkeyed = RenderInput extends infer Input
  ? Input extends RenderInput
    ? Omit<Input, 'key'>
    : never
  : never;

function inputOf(context: InputContext): Unkeyed {
  const { source, tool, application } = context;
  const path = context.path === '' ? '.' : context.path;
  switch (tool) {
    case 'directory':
      return { tool, path: context.path, options: source.directory ?? {} };
    case 'kustomize': {
      const {
        version: _version,
        kubeVersion: _kube,
        apiVersions: _apis,
        ...options
      } = source.kustomize ?? {};
      return {
        tool,
        request: withEnvironment({ kind: 'kustomize', path, ...options } as KustomizeRequest, context),
      };
    }
    case 'helm': {
      const helm = source.helm ?? {};
      const request: HelmRequest = {
        kind: 'helm',
        path,
        releaseName: helm.releaseName || application.metadata.name,
        namespace: helm.namespace || application.spec.destination.namespace || '',
        valueFiles: helm.valueFiles,
        ignoreMissingValueFiles: helm.ignoreMissingValueFiles,
        values: helm.values,
        valuesObject: (helm.valuesObject as JsonObject | null) ?? undefined,
        parameters: helm.parameters?.map(({ name = '', value = '', forceString }) => ({
          name,
          value,
          forceString,
        })),
        fileParameters: helm.fileParameters?.map(({ name = '', path: file = '' }) => ({ name, path: file })),
        includeCRDs: helm.skipCrds !== true,
        skipSchemaValidation: helm['skipSchemaValidation'] === true,
        skipTests: helm.skipTests,
      };
      const fixed = helm.kubeVersion || helm.apiVersions?.length;
      return {
        tool,
        fixed: fixed
          ? { kubeVersion: helm.kubeVersion ?? '', apiVersions: helm.apiVersions ?? [] }
          : undefined,
        request: withEnvironment(request, context),
      };
    }
  }
}

/** Of Argo CD's build environment, what a `$` asks for is an input: a new commit is none to who asks for the name. */
function withEnvironment<Request extends { env?: Record<string, string> }>(
  request: Request,
  context: InputContext,
): Request {
  const asking = JSON.stringify([
    (request as Partial<HelmRequest>).parameters,
    (request as Partial<HelmRequest>).valueFiles,
    (request as Partial<HelmRequest>).fileParameters,
    (request as Partial<KustomizeRequest>).commonAnnotationsEnvsubst &&
      (request as Partial<KustomizeRequest>).commonAnnotations,
  ]);
  if (!asking.includes('$')) return request;
  const { application, source } = context;
  const commit = shownRevision(context);
  const all: Record<string, string> = {
    ARGOCD_APP_NAME: application.metadata.name,
    ARGOCD_APP_NAMESPACE: application.spec.destination.namespace ?? '',
    ARGOCD_APP_PROJECT_NAME: application.spec.project,
    ARGOCD_APP_REVISION: commit,
    ARGOCD_APP_REVISION_SHORT: commit.slice(0, 7),
    ARGOCD_APP_REVISION_SHORT_8: commit.slice(0, 8),
    ARGOCD_APP_SOURCE_PATH: source.path ?? '',
    ARGOCD_APP_SOURCE_REPO_URL: source.repoURL,
    ARGOCD_APP_SOURCE_TARGET_REVISION: source.targetRevision ?? '',
  };
  const asked = Object.entries(all).filter(([name]) => new RegExp(`\\$\\{?${name}\\b`).test(asking));
  return { ...request, env: Object.fromEntries(asked) };
}

/** A chart's revision is its version, as in Argo CD; an artifact's is its digest. */
function shownRevision({ source, commit }: InputContext): string {
  const pin = parsePin(commit);
  if (!pin) return commit;
  return source.chart ? pin.version : pin.digest;
}

/** The key of a finished render: everything that it depended on. */
export function inputKey(baseKey: string, reads: RenderReads, asked: RenderAsked): string {
  return sha256(canonicalJson({ baseKey, reads: { ...reads, absent: [...reads.absent].sort() }, asked }));
}
