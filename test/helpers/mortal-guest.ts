/** A guest that ends: it powers itself off after a time, or when its power button is pressed (`virsh shutdown`). */
import { open } from 'node:fs/promises';
import { createDomains, type DomainOptions, diskPath } from './domains.ts';
import type { Libvirtd } from './libvirtd.ts';

/** The BIOS counts so many ticks a second. */
const TICKS = 18.2;

/**
 * In 16 bits: enables the power button in the PM1a event registers at 0x600, where SeaBIOS puts those of the machine
 * type pc. Then, at each tick, powers off by 0x604 when it was pressed or the time is over.
 */
function bootSector(seconds: number): Buffer {
  const code = [
    '31c08ed8', // xor ax,ax; mov ds,ax
    'ba0206b80001ef', // mov dx,0x602; mov ax,0x100; out dx,ax
    '8b1e6c04fb', // mov bx,[0x46c]; sti
    'f4ba0006eda90001750a', // hlt; mov dx,0x600; in ax,dx; test ax,0x100; jnz off
    'a16c0429d83d000072ec', // mov ax,[0x46c]; sub ax,bx; cmp ax,TICKS; jb hlt
    'ba0406b80020eff4ebfd', // off: mov dx,0x604; mov ax,0x2000; out dx,ax; hlt; jmp hlt
  ].join('');
  const sector = Buffer.alloc(512);
  sector.write(code, 'hex');
  sector.writeUInt16LE(Math.min(0xffff, Math.round(seconds * TICKS)), code.indexOf('3d000072') / 2 + 1);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** Defines it. Each start is a life of so many seconds. */
export async function defineMortal(libvirtd: Libvirtd, name: string, seconds = 3600): Promise<void> {
  const domain: DomainOptions = { name, displayName: name, disks: ['raw'], nics: ['sink'], state: 'shut off' };
  await createDomains(libvirtd, [domain]);
  const disk = await open(diskPath(libvirtd.folder, name, 0), 'r+');
  await disk.write(bootSector(seconds), 0, 512, 0);
  await disk.close();
}
