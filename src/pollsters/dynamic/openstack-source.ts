/** Services of the catalogue, asked with the agent's token. */
import type { Host } from '../../plugin.ts';
import { scope } from '../../util/scope.ts';
import type { Definition } from './definition.ts';
import type { Source, Step } from './source.ts';
import { compileTemplate, type Template } from './template.ts';

export interface ServiceParts {
  readonly endpointType: string;
  readonly paths: readonly Template[];
}

export function openstackSource(host: Host, definition: Definition, { endpointType, paths }: ServiceParts): Source {
  function step(url: URL, endpoint: string): Step {
    return {
      key: url.href,
      async fetch(signal) {
        using limit = scope(signal, definition.timeout, `${endpointType} GET ${url.pathname}`);
        const service = host.openstack().service(endpointType, { endpoint });
        const headers = { accept: '*/*', ...definition.headers };
        return (await service.request('GET', url.href, { headers, signal: limit.signal })).text;
      },
    };
  }

  return {
    begin: (endpoint, inputs) => paths.map((path) => step(joined(endpoint, path.render(inputs)), endpoint)),
    follow(next, endpoint, inputs) {
      if (!URL.canParse(next)) {
        return step(joined(endpoint, compileTemplate(next, []).render(inputs)), endpoint);
      }
      // Behind a proxy a link may name another host: the token goes only where the catalogue says.
      const { pathname, search } = new URL(next);
      return step(new URL(`${pathname}${search}`, endpoint), endpoint);
    },
  };
}

/** A path with a slash before it takes the place of the endpoint's. */
function joined(endpoint: string, path: string): URL {
  return new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
}
