package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// dark switches the system's colours.
func dark(on bool) chromedp.Action {
	value := "light"
	if on {
		value = "dark"
	}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}})
}

// faults are an expression for what is wrong with the page's structure, contrasts and layout.
const faults = `(() => {
	const faults = [];
	const need = (ok, what) => { if (!ok) faults.push(what); };
	need(document.documentElement.lang, "no language");
	need(document.title, "no title");
	need(document.querySelectorAll("h1").length === 1, "not one h1");
	need(document.querySelector("main"), "no main");
	need(document.documentElement.scrollWidth <= document.documentElement.clientWidth, "the page scrolls sideways");
	const shown = (e) => e.checkVisibility() && !e.closest(".hidden");
	for (const e of document.querySelectorAll("button, input, select, a, output, canvas[tabindex]")) {
		if (!e.checkVisibility()) continue;
		const name = e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim() || e.title;
		need(name || e.tagName === "OUTPUT", "no name: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll("main *, header *, footer *")) {
		if (!shown(e)) continue;
		const r = e.getBoundingClientRect();
		need(r.right <= innerWidth + 1 && r.left >= -1, "off the screen: " + e.tagName + "." + e.className);
	}
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const rgb = (c, under) => { canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const luminance = (c) => { const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = (el) => {
		const chain = [];
		for (; el; el = el.parentElement) chain.unshift(getComputedStyle(el).backgroundColor);
		return "rgb(" + chain.reduce((under, c) => rgb(c, "rgb(" + under.join(",") + ")").slice(0, 3), [255, 255, 255]).join(",") + ")";
	};
	for (const e of document.querySelectorAll("h1, h2, h3, p, small, b, span, th, td, dt, dd, button, a, label, figcaption, output, li")) {
		if (!shown(e) || e.closest(":disabled, [aria-hidden=true]") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
		const g = ground(e);
		const [a, b] = [luminance(rgb(getComputedStyle(e).color, g).slice(0, 3)), luminance(g.match(/\d+/g).map(Number))].sort((x, y) => y - x);
		const contrast = (a + 0.05) / (b + 0.05);
		need(contrast >= 4.5, "contrast of " + e.tagName + " " + e.textContent.trim().slice(0, 30) + ": " + contrast.toFixed(2));
	}
	return faults;
})()`

// TestLook checks every tab on a wide screen and a phone, in light and dark, while a training has something to show.
func TestLook(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	b.Do(t, chromedp.Evaluate(`document.getElementById("tab-network").click()`, nil))
	b.Wait(t, `document.querySelector("#network .grid")`, 10*time.Second)
	b.Do(t, chromedp.Evaluate(`(() => { for (const l of document.querySelectorAll(".settings .grid label")) if (l.textContent.includes("Digits per epoch")) { const e = l.querySelector("input"); e.value = "3200"; e.dispatchEvent(new Event("change")); } })()`, nil))
	b.Press(t, "Train")
	b.Wait(t, `document.getElementById("progress-text")?.textContent.startsWith("Done")`, 90*time.Second)
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 900}, {"tablet", 800, 1100}, {"phone", 360, 740}} {
		if size.name == "phone" {
			b.Do(t, chromedp.EmulateViewport(size.width, size.height, chromedp.EmulateMobile, chromedp.EmulateTouch))
		} else {
			b.Do(t, chromedp.EmulateViewport(size.width, size.height))
		}
		for _, colours := range []string{"light", "dark"} {
			b.Do(t, dark(colours == "dark"))
			for _, tab := range []string{"inside", "training", "network", "text"} {
				b.Do(t, chromedp.Evaluate(`document.getElementById("tab-`+tab+`").click()`, nil), chromedp.Sleep(500*time.Millisecond))
				var found []string
				b.Do(t, chromedp.Evaluate(faults, &found))
				for _, f := range found {
					t.Errorf("%s %s %s: %s", size.name, colours, tab, f)
				}
				screenshot(t, b, size.name+"-"+colours+"-"+tab+".png")
			}
		}
	}
	b.Quiet(t)
}

// TestTheme: the button overrules the system, and the choice is kept.
func TestTheme(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1000, 700)
	b.Do(t, dark(false))
	b.Open(t, address)
	ground := `getComputedStyle(document.body).backgroundColor`
	light := b.Text(t, ground)
	b.Do(t, chromedp.Click("#theme"))
	night := b.Text(t, ground)
	if light == night {
		t.Errorf("the button changes nothing: %s", light)
	}
	b.Open(t, address)
	if got := b.Text(t, ground); got != night {
		t.Errorf("after loading again %s, chosen was %s", got, night)
	}
	b.Quiet(t)
}

// TestOffline: after the first load the page works without its server.
func TestOffline(t *testing.T) {
	address, stop := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	var kept bool
	for range 200 {
		b.Do(t, chromedp.Evaluate(`(async () => {
			if (!navigator.serviceWorker.controller) return false;
			for (const key of await caches.keys()) for (const r of await (await caches.open(key)).keys()) if (/\/weft(-shared)?\.[0-9a-f]+\.wasm/.test(r.url)) return true;
			return false;
		})()`, &kept, await))
		if kept {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !kept {
		t.Fatal("the service worker keeps nothing")
	}
	stop()
	b.Open(t, address)
	b.Draw(t, 2)
	b.WaitFor(t, 2)
	if isolated := b.Text(t, "crossOriginIsolated"); isolated != "true" {
		t.Error("offline the page is not isolated")
	}
	b.Do(t, chromedp.Click("#tab-training")) // a part that was not fetched before
	b.Wait(t, `document.querySelector("#training h2")`, 10*time.Second)
	b.Press(t, "Train")
	b.Wait(t, button("Pause"), 20*time.Second)
	b.Press(t, "Stop")
	b.Wait(t, button("Train"), 20*time.Second)
}
