import type { SourceTree } from '../sources/source-tree.ts';
import type { Bundle } from '../releases/bundle.ts';
import { makeBundle } from '../releases/bundle.ts';
import type { NewRender, StoredRender } from '../releases/bundles.service.ts';
import type { RenderAsked, RenderReads } from '../store/schema.ts';
import { type RenderInput, inputKey } from './render-input.ts';
import { type RenderedOnce, type Surroundings } from './render-once.ts';

/** One Application of a group: all of a group ask the same of the same commit. */
export interface Member {
  id: string;
  around: Surroundings;
}

/** A render that holds for an Application. */
export interface Holding {
  inputKey: string;
  bundleDigest: string;
  plainSize: bigint;
  notices: string[];
}

export interface GroupPorts {
  render(input: RenderInput, tree: SourceTree, around: Surroundings): Promise<RenderedOnce>;
  store(bundle: Bundle, render: NewRender): Promise<void>;
}

/** A holding, and what the templates asked for besides files. */
export type Found = Holding & { asked: RenderAsked };

type Candidate = Holding & { reads: RenderReads; asked: RenderAsked };

/**
 * Finds or makes a render for each member. An earlier render holds when the commit has every file as it was read,
 * and when what the templates asked for (clock, seed, capabilities) is the same for the member. Members that no
 * render holds for are rendered one at a time: usually the first one's render then holds for all.
 */
export async function renderGroup(
  input: RenderInput,
  tree: SourceTree,
  members: readonly Member[],
  earlier: readonly StoredRender[],
  ports: GroupPorts,
): Promise<{ holdings: Map<string, Found>; errors: Map<string, unknown> }> {
  const candidates: Candidate[] = [];
  for (const render of earlier) if (await tree.holds(render.reads)) candidates.push(render);
  const holdings = new Map<string, Found>();
  const errors = new Map<string, unknown>();
  // What failed once fails for everyone whose cluster can do the same: a thousand Applications try once.
  const failed = new Map<string, unknown>();
  for (const member of members) {
    const surroundings = member.around.capabilities?.hash ?? '';
    if (failed.has(surroundings)) {
      errors.set(member.id, failed.get(surroundings));
      continue;
    }
    let found = await firstThatFits(candidates, member.around);
    if (!found) {
      try {
        found = await renderNew(input, tree, member.around, ports);
        candidates.unshift(found);
      } catch (thrown) {
        errors.set(member.id, thrown);
        failed.set(surroundings, thrown);
        continue;
      }
    }
    holdings.set(member.id, found);
  }
  return { holdings, errors };
}

async function firstThatFits(
  candidates: readonly Candidate[],
  around: Surroundings,
): Promise<Candidate | undefined> {
  for (const candidate of candidates) {
    const { random, capabilities, clock } = candidate.asked;
    if (random !== undefined && random !== around.application && random !== around.also) continue;
    if (capabilities !== undefined && capabilities !== around.capabilities?.hash) continue;
    if (
      clock !== undefined &&
      clock !== Math.floor(((await around.clockOf(candidate.reads))?.getTime() ?? 0) / 1000)
    )
      continue;
    return candidate;
  }
  return undefined;
}

async function renderNew(
  input: RenderInput,
  tree: SourceTree,
  around: Surroundings,
  ports: GroupPorts,
): Promise<Candidate> {
  const { objects, reads, asked, notices } = await ports.render(input, tree, around);
  const bundle = makeBundle(objects);
  const key = inputKey(input.key, reads, asked);
  await ports.store(bundle, {
    inputKey: key,
    baseKey: input.key,
    bundleDigest: bundle.digest,
    reads,
    asked,
    notices,
  });
  return {
    inputKey: key,
    bundleDigest: bundle.digest,
    plainSize: BigInt(bundle.plainSize),
    notices,
    reads,
    asked,
  };
}
