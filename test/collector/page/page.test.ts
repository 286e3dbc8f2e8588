import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openPostgresql } from '../../../src/collector/store/postgresql.ts';
import { startChromium } from '../../helpers/chromium.ts';
import { eventually } from '../../helpers/eventually.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { type Postgresql, startPostgresql } from '../../helpers/postgresql.ts';
import { describeWith } from '../../helpers/services.ts';
import { type Served, series, serve } from './served.ts';

const MIB = 1024 * 1024;
const web = { resourceId: 'f0c5c9e8-vm-1', metadata: { display_name: 'web-1', flavor: { name: 'm1.small' } } };
const cpu = { name: 'cpu', type: 'cumulative', unit: 'ns' } as const;
const memory = { name: 'memory.usage', type: 'gauge', unit: 'MB' } as const;
const disk = { name: 'disk.device.read.bytes', type: 'cumulative', unit: 'B' } as const;

/** Half a CPU, memory with a gap of three minutes, and a disk that went silent five minutes ago. */
async function filled(served: Served): Promise<void> {
  await served.give(series({ ...cpu, ...web, from: 600, volume: (at) => BigInt(at) * 500_000_000n + 2n ** 60n }));
  await served.give(series({ ...memory, ...web, from: 600, volume: (at) => 512 + at / 10, without: [400, 220] }));
  await served.give(
    series({ ...disk, resourceId: 'vm-2-vda', from: 600, to: 300, volume: (at) => at * 3 * MIB }),
    'telemetry.publisher.node-2',
  );
}

describeWith('chromium', 'the page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());

  interface Opened {
    readonly page: Page;
    /** What the browser complained about. */
    readonly complaints: string[];
    readonly asked: string[];
  }

  async function open(
    served: Served,
    { hash = '', width = 1280, colorScheme = 'light' as 'light' | 'dark' } = {},
  ): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const complaints: string[] = [];
    const asked: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${served.url}/${hash}`);
    return { page, complaints, asked };
  }

  const tile = (page: Page, name: string) => page.locator('.tile', { has: page.getByText(name, { exact: true }) });
  const card = (page: Page, title: string) =>
    page.locator('article', { has: page.getByRole('link', { name: title, exact: true }) });

  async function opened(options?: Parameters<typeof open>[1]): Promise<Opened & { readonly served: Served }> {
    const served = await serve();
    await filled(served);
    const result = await open(served, options);
    await result.page.locator('article .number').first().waitFor();
    return { ...result, served };
  }

  it('tells what is collected, by which agents and since when', async () => {
    const { page, complaints } = await opened();

    await tile(page, 'Samples').getByText('134', { exact: true }).waitFor();
    await tile(page, 'Since')
      .getByText(/^10 min/)
      .waitFor();
    const agents = await page.locator('#agents tr').allInnerTexts();
    expect(agents).toHaveLength(2);
    expect(agents.join('\n')).toMatch(/ceilometer\.polling\t(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/);
    expect(agents.join('\n')).toContain('telemetry.publisher.node-2');
    expect(await page.locator('#list a').allInnerTexts()).toEqual([
      expect.stringMatching(/^web-1\s+f0c5c9e8-vm-1 · 2 meters · /),
      expect.stringMatching(/^vm-2-vda\s+1 meter · 5 min ago/),
    ]);
    await page.getByRole('heading', { name: 'web-1' }).waitFor();
    expect(await page.locator('#detail-facts').innerText()).toMatch(
      /2 meters · project shop · source openstack · since/,
    );
    expect(complaints).toEqual([]);
  });

  it('draws cumulative meters as rates, and says how much it is in all', async () => {
    const { page } = await opened();

    const cpuCard = card(page, 'cpu');
    await cpuCard.getByText('50.0', { exact: true }).waitFor();

    expect(await cpuCard.locator('.now').innerText()).toMatch(/50\.0\s*%\s*of one second per second, [\d,.]+ d in all/);
    expect(await cpuCard.locator('.reading').innerText()).toBe('50.0 % – 50.0 %, mean 50.0 %');
    expect(await cpuCard.locator('.plot').getAttribute('aria-label')).toContain('cpu of f0c5c9e8-vm-1: rate in');
    expect(await drawnPixels(cpuCard.locator('canvas'), [11, 99, 197])).toBeGreaterThan(100);
  });

  it('shows gaps, and what is late', async () => {
    const { page } = await opened();

    await card(page, 'memory.usage').getByText('1 gap', { exact: true }).waitFor();
    expect(await drawnPixels(card(page, 'memory.usage').locator('canvas'), [200, 100, 0])).toBeGreaterThan(1000);
    expect(await drawnPixels(card(page, 'cpu').locator('canvas'), [200, 100, 0])).toBe(0);
    expect(await tile(page, 'Late').innerText()).toMatch(/1\s+overdue now/);
    await page.getByText('1 series overdue').click();
    expect(await page.locator('#late-list li').innerText()).toMatch(
      /disk\.device\.read\.bytes of vm-2-vda\s+overdue for/,
    );
    await page.getByText('1 gap, the latest of one series here').click();
    expect(await page.locator('#gaps-list li').innerText()).toMatch(/^memory\.usage of f0c5c9e8-vm-1\s+none between/);

    await page.locator('#late-list a').click();
    await card(page, 'disk.device.read.bytes').getByText('late', { exact: true }).waitFor();
    expect(await card(page, 'disk.device.read.bytes').locator('.now').innerText()).toMatch(/3\.0\s*MiB\/s/);
  });

  it('shows new samples without being loaded again, and keeps what is there in place', async () => {
    const { page, served } = await opened({ hash: '#/meter/memory.usage' });
    await card(page, 'web-1').getByText('572', { exact: true }).waitFor();
    const before = await card(page, 'web-1').elementHandle();

    await served.give(
      series({ ...memory, resourceId: 'vm-9', metadata: { display_name: 'db-9' }, from: 0, volume: () => 99 }),
    );

    await card(page, 'db-9').getByText('99', { exact: true }).waitFor();
    expect(await card(page, 'web-1').evaluate((now, then) => now === then, before)).toBe(true);
  });

  it('is used by keyboard alone', async () => {
    const { page } = await opened();
    await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('MEMORY');
    await page.getByText('Meters 1').waitFor();
    await page.getByText('Resources 0').waitFor();
    expect(await page.locator('#list-empty').innerText()).toBe('Nothing has “MEMORY” in its name.');
    await page.locator('#tab-meter').press('Space');
    await page.keyboard.press('/');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'memory.usage', level: 2 }).waitFor();
    await card(page, 'web-1').getByText('572', { exact: true }).waitFor();
    await card(page, 'web-1').locator('.plot').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');

    const reading = card(page, 'web-1').locator('[aria-live]');
    await eventually(() => reading.innerText()).toMatch(/^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\s+571 MiB$/);
    await page.keyboard.press('Escape');
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll('a, button, input, select, [tabindex="0"]')]
        .filter((each) => (each as HTMLElement).offsetParent !== null)
        .filter((each) => {
          const labels = (each as HTMLInputElement).labels;
          return !each.textContent?.trim() && !each.getAttribute('aria-label') && !labels?.[0]?.textContent?.trim();
        })
        .map((each) => each.outerHTML),
    );
    expect(unnamed).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('is %s as the system is, and readable', async (colorScheme) => {
    const { page } = await opened({ colorScheme });
    await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();

    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(ground).toBe(colorScheme === 'light' ? 'rgb(244, 245, 247)' : 'rgb(15, 18, 22)');
    expect(await page.evaluate(faintTexts)).toEqual([]);

    const other = colorScheme === 'light' ? 'Dark' : 'Light';
    await page.getByRole('radio', { name: other }).check();
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).not.toBe(ground);
    await page.reload();
    expect(await page.getByRole('radio', { name: other }).isChecked()).toBe(true);
  });

  it('fits a phone', async () => {
    const { page } = await opened({ width: 360 });
    await card(page, 'cpu').scrollIntoViewIfNeeded();
    await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();

    const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);

    expect(content).toBeLessThanOrEqual(width ?? 0);
  });

  it('loads nothing but itself and its own API, and runs nothing that is not its own', async () => {
    const served = await serve();
    const name = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await served.give(
      series({ ...memory, resourceId: name, metadata: { display_name: name }, from: 60, volume: () => 1 }),
    );
    const { page, asked, complaints } = await open(served);
    await page.getByRole('heading', { name }).waitFor();
    await page.locator('article .number').waitFor();

    expect(asked.filter((url) => !url.startsWith(`${served.url}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(await page.title()).toBe('Ceilometer');
    expect(complaints).toEqual([]);
    const { headers } = await fetch(served.url);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
    );
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.body.append(script);
    });
    expect(await page.title()).toBe('Ceilometer');
  });

  it('says that nothing was collected yet', async () => {
    const { page } = await open(await serve());

    await page.getByText('Nothing has been collected yet.').waitFor();
    await page.getByText('No agent has sent anything yet.').waitFor();
  });

  it('says when the collector does not answer, keeps what it has, and goes on when it is back', async () => {
    const { page, served } = await opened();
    await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();

    await served.shut();
    const alert = page.getByRole('alert');
    await alert
      .getByText(/The collector does not answer; trying again\. What is below is from (\d{4}-\d\d-\d\d )?\d\d:/)
      .waitFor();
    expect(await card(page, 'cpu').locator('.number').innerText()).toBe('50.0');

    await served.open();
    await alert.waitFor({ state: 'hidden' });
  });

  it('asks for the token of a collector that has one', async () => {
    const served = await serve({ token: 'right' });
    await filled(served);
    const { page } = await open(served);

    await page.getByText('This collector asks for a token.').waitFor();
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This token is wrong.').waitFor();
    await page.locator('#token-input').fill('right');
    await page.keyboard.press('Enter');

    await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();
    expect(await page.locator('#token').isVisible()).toBe(false);
  });

  describeWith('postgresql', 'over PostgreSQL with a thousand resources', () => {
    let server: Postgresql;
    beforeAll(async () => {
      server = await startPostgresql();
    });
    afterAll(() => server?.[Symbol.asyncDispose]());

    it('has charts in sight, finds one of them by keyboard, and does not read long lists again and again', async () => {
      const served = await serve({ database: openPostgresql(await server.database()) });
      const vm = (index: number) => ({
        resourceId: `vm-${String(index).padStart(4, '0')}`,
        metadata: { display_name: `web-${index}`, text: 'x'.repeat(300) },
      });
      for (let agent = 0; agent < 40; agent++)
        await served.give(
          Array.from({ length: 25 }, (_, index) => vm(agent * 25 + index)).flatMap((each) => [
            ...series({ ...memory, ...each, from: 3600, interval: 300, volume: (at) => 512 + at / 10 }),
            ...series({ ...cpu, ...each, from: 3600, interval: 300, volume: (at) => BigInt(at) * 500_000_000n }),
          ]),
          `telemetry.publisher.compute-${agent}`,
        );

      const { page, asked, complaints } = await open(served);
      await card(page, 'cpu').getByText('50.0', { exact: true }).waitFor();

      await tile(page, 'Resources').getByText('1,000', { exact: true }).waitFor();
      await tile(page, 'Samples').getByText('26,000', { exact: true }).waitFor();
      expect(await page.locator('#agents-summary').innerText()).toBe('40 agents, all on time');
      expect(await page.locator('#agents').isVisible()).toBe(false);
      const { y = 9999 } = (await card(page, 'cpu').boundingBox()) ?? {};
      expect(y).toBeLessThan(900);

      await page.keyboard.press('/');
      await page.keyboard.type('WEB-777');
      await page.locator('#list a', { hasText: 'web-777' }).waitFor();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Enter');
      await page.locator('#detail-title', { hasText: 'web-777' }).waitFor();
      await card(page, 'memory.usage').locator('canvas').waitFor();

      await page.locator('#search').fill('');
      await page.locator('#list a', { hasText: 'web-0' }).first().waitFor();
      const looks = () => asked.filter((url) => url.includes('/v1/status')).length;
      const lists = () => asked.filter((url) => /\/v1\/resources\?limit/.test(url)).length;
      const [looksBefore, listsBefore] = [looks(), lists()];
      await eventually(looks).toBeGreaterThan(looksBefore + 1);
      expect(lists()).toBe(listsBefore);
      expect(complaints).toEqual([]);
    });

    it('shows a time with enough samples for how often they come, unless one was chosen', async () => {
      const served = await serve({ database: openPostgresql(await server.database()) });
      for (const at of [1200, 900, 600, 300])
        await served.give(series({ ...memory, ...web, from: at, to: at, volume: () => 1 }), 'a');
      const agentEvery = (seconds: number) =>
        [3, 2, 1, 0].map((ago) => ({
          agent: 'slow',
          source: 's',
          at: (Date.now() - ago * seconds * 1000) * 1000,
          samples: 1,
        }));
      await served.store.write([], agentEvery(300));

      const { page } = await open(served);
      await eventually(() => page.locator('#range').inputValue()).toBe('21600');
      await page.locator('#range').selectOption('3600');
      await page.reload();
      await card(page, 'memory.usage').waitFor();

      expect(await page.locator('#range').inputValue()).toBe('3600');
    });
  });
});

/** How many pixels of the canvas have about this colour, whatever lies over or under it. */
function drawnPixels(canvas: ReturnType<Page['locator']>, colour: readonly [number, number, number]): Promise<number> {
  return canvas.evaluate((node, wanted) => {
    const { width, height } = node as HTMLCanvasElement;
    const data = (node as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const near = wanted.every((part, index) => Math.abs((data[at + index] ?? 0) - part) < 24);
      if ((data[at + 3] ?? 0) > 30 && near) count += 1;
    }
    return count;
  }, colour);
}

/** In the browser: texts whose colour has less contrast with their ground than WCAG's AA asks for. */
function faintTexts(): string[] {
  const parts = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: readonly number[]) => {
    const [r = 0, g = 0, b = 0] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element: Element | null): readonly number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()))
    .filter((element) => (element as HTMLElement).offsetParent !== null && !element.closest('.unseen, script, style'))
    .flatMap((element) => {
      const [text, ground] = [luminance(parts(getComputedStyle(element).color)), luminance(groundOf(element))];
      const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      return contrast < 4.5 ? [`${element.tagName} ${element.className} ${element.textContent}: ${contrast}`] : [];
    });
}
