import type { RequestOptions, Transport } from './client-transport.ts';
import type { CompareReleases, ListReleases, ReleaseDetail, ReleaseDiff, ReleaseList } from './releases.ts';

type Optional<T, Kept extends keyof T> = Pick<T, Kept> & Partial<Omit<T, Kept>>;

/** Releases and what is different between them. */
export function releaseRoutes(http: Transport) {
  const path = '/api/v1/releases';
  return {
    list: (query: Optional<ListReleases, 'owner'>, o?: RequestOptions) =>
      http.get<ReleaseList>(path, query, o),
    get: (of: string, o?: RequestOptions) => http.get<ReleaseDetail>(`${path}/detail`, { of }, o),
    diff: (query: Optional<CompareReleases, 'a' | 'b'>, o?: RequestOptions) =>
      http.get<ReleaseDiff>(`${path}/diff`, query, o),
  };
}
