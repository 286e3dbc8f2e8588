/** Instances as the metadata that Nova leaves in libvirt describes them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError } from '../../errors.ts';
import type { Domain } from '../../libvirt/inspector.ts';
import type { Host } from '../../plugin.ts';
import type { FindContext, InstanceSource } from './compute.ts';
import { createInstance, type Instance, type InstanceFacts, type NovaKnowledge, readInstance } from './instance.ts';
import type { NovaLookup } from './nova/lookup.ts';
import { findNovaElement, mentionsNova } from './nova-metadata.ts';
import { parseXml } from './xml.ts';

interface Known {
  readonly facts: InstanceFacts;
  instance: Instance | undefined;
  /** What the instance was made with. */
  with: NovaKnowledge | undefined;
}

/** Milliseconds of reading XML, after which what is under way goes on: to read many takes longer than a call. */
const LONGEST_TURN = 5;

export function createLibvirtSource(host: Host, nova: NovaLookup): InstanceSource {
  const options = { hostname: host.hostname, reserved: host.config.default };
  /** null for a domain that is left out. A changed domain is another object, so this is worked out once per change. */
  const known = new WeakMap<Domain, Known | null>();
  const versionsWarnedOf = new Set<string>();

  function factsOf(domain: Domain, log: FindContext['log']): InstanceFacts | null {
    const { name, uuid } = domain;
    try {
      const root = parseXml(domain.xml);
      const found = findNovaElement(root);
      if (found === undefined) {
        log.debug({ domain: name, uuid }, 'domain without Nova metadata is left out');
        return null;
      }
      const { element, unknownVersion } = found;
      if (unknownVersion !== undefined && !versionsWarnedOf.has(unknownVersion)) {
        versionsWarnedOf.add(unknownVersion);
        log.warn({ domain: name, version: unknownVersion }, 'unknown version of the Nova metadata, read as 1.1');
      }
      return readInstance(domain, root, element);
    } catch (error) {
      log.warn({ domain: name, uuid, reason: describeError(error) }, 'domain with unusable XML is left out');
      return null;
    }
  }

  function knownOf(domain: Domain, log: FindContext['log']): Known | null {
    let one = known.get(domain);
    if (one === undefined) {
      const facts = factsOf(domain, log);
      one = facts === null ? null : { facts, instance: undefined, with: undefined };
      known.set(domain, one);
    }
    return one;
  }

  /** Another one when Nova has more to say than the last time. */
  function instanceOf(one: Known): Instance {
    const knowledge = nova.knowledgeOf(one.facts);
    if (one.instance === undefined || !sameKnowledge(knowledge, one.with)) {
      one.instance = createInstance(one.facts, knowledge, options);
      one.with = knowledge;
    }
    return one.instance;
  }

  return {
    mayBeInstance(domain) {
      const one = known.get(domain);
      return one === undefined ? mentionsNova(domain.xml) : one !== null;
    },
    async find(domains, ctx) {
      const found: Known[] = [];
      let turnBegan = performance.now();
      for (const domain of domains) {
        if (performance.now() - turnBegan > LONGEST_TURN) {
          await nextTurn(undefined, { signal: ctx.signal });
          turnBegan = performance.now();
        }
        const one = knownOf(domain, ctx.log);
        if (one !== null) found.push(one);
      }
      await nova.learn(
        found.map(({ facts }) => facts),
        ctx,
      );
      return found.map(instanceOf);
    },
  };
}

function sameKnowledge(a: NovaKnowledge, b: NovaKnowledge | undefined): boolean {
  return a.flavorId === b?.flavorId && a.serverMetadata === b?.serverMetadata;
}
