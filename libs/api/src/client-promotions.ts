import type { RequestOptions, Transport } from './client-transport.ts';
import type { PromotionList, PromotionVerb, PromotionView } from './promotions.ts';

type Asked = Omit<PromotionVerb, 'reason'> & Partial<Pick<PromotionVerb, 'reason'>>;

/** Promotions, and what people ask of them. */
export function promotionRoutes(http: Transport) {
  const path = '/api/v1/promotions';
  const of = (name: string) => `${path}/${encodeURIComponent(name)}`;
  return {
    list: (o?: RequestOptions) => http.get<PromotionList>(path, undefined, o),
    get: (name: string, o?: RequestOptions) => http.get<PromotionView>(of(name), undefined, o),
    ask: (name: string, verb: Asked, o?: RequestOptions) =>
      http.post<PromotionView>(`${of(name)}/verbs`, verb, o),
    remove: (name: string, o?: RequestOptions) => http.delete(of(name), undefined, o),
  };
}
