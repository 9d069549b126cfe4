//! Whoever reads the target meanwhile sees each file as it was or as it will be, and nothing in between.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::Scene;
use crate::volumes::{Volume, or_not_proven, setting};

const FILES: usize = 12;
/// Several blocks and a part of one, so that a file that is written in place would be seen half.
const BYTES: usize = 700_001;

/// A file of one letter: two letters in one file are a torn one.
fn fill(scene: &Scene, round: usize) {
    for number in 0..FILES {
        let letter = b'a' + ((round + number) % 26) as u8;
        scene.write(&format!("old/{number}.dat"), vec![letter; BYTES]);
    }
}

/// Reads every file of a folder again and again until it is told to end, and says what it saw that is no whole file; a
/// process of its own, since what it sees shall be what any program sees.
const READER: &str = r#"
seen=0
while test ! -e "$1"; do
  for file in "$2"/*.dat; do
    test -e "$file" || continue
    letters=$(fold -w 100000 "$file" | tr -s a-z | sort -u | tr -d '\n')
    size=$(wc -c < "$file")
    test "${#letters}" = 1 || echo "torn: $file $letters"
    test "$size" = 700001 || echo "short: $file $size"
    seen=$((seen + 1))
  done
done
echo "seen $seen"
"#;

struct Reader(Child);

impl Reader {
    fn start(end: &Path, folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", READER, "reader"]).arg(end).arg(folder).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// All that it said.
    fn said(mut self) -> String {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reader_of_the_target_never_sees_a_half_written_file() {
    for volume in [Volume::ext4(64, &[], ""), Volume::tmpfs("size=64m")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let target = volume.path().join("new");
        // A run ends, and the next one begins with the next content.
        let scene = Scene::new();
        let reader = Reader::start(&scene.path("end"), &target);
        for round in 0..setting("MOVEBOOK_READER_ROUNDS", 12) {
            fill(&scene, round);
            let runbook = format!(
                "phases:\n  - id: only\n    steps:\n      - {{id: pass, copy: {{from: 'ROOT/old', to: '{}'}}}}",
                target.display()
            );
            scene.now_reads(&runbook);
            scene.run(&["--state", &format!("round-{round}.jsonl")]).code(0);
        }
        scene.write("end", "");
        let said = reader.said();
        assert!(!said.contains("torn") && !said.contains("short"), "{said}");
        assert!(said.contains("seen ") && !said.contains("seen 0\n"), "the reader was at work: {said}");
    }
}

#[test]
fn whoever_has_the_old_file_open_reads_it_to_its_end() {
    for volume in [Volume::ext4(64, &[], ""), Volume::tmpfs("size=64m")] {
        let Some(volume) = or_not_proven(volume) else { continue };
        let target = volume.path().join("new");
        let scene = Scene::new().steps(&format!(
            "
- {{id: first, copy: {{from: 'ROOT/old', to: '{0}'}}}}
- {{id: gate, checkpoint: {{ask: On?}}}}
- {{id: second, copy: {{from: 'ROOT/old', to: '{0}', purge: {{max_files: 10, max_percent: 50}}}}}}
",
            target.display()
        ));
        fill(&scene, 0);
        scene.run(&[]).code(3);
        let (mut replaced, mut purged) =
            (File::open(target.join("0.dat")).unwrap(), File::open(target.join("1.dat")).unwrap());
        let mut half = vec![0; BYTES / 2];
        replaced.read_exact(&mut half).unwrap();
        fill(&scene, 5);
        fs::remove_file(scene.path("old/1.dat")).unwrap();
        scene.approve("gate", &[]).code(0);
        scene.run(&[]).code(0);
        replaced.read_to_end(&mut half).unwrap();
        assert_eq!(half, vec![b'a'; BYTES], "the old content, from both sides of the pass");
        purged.seek(SeekFrom::Start(0)).unwrap();
        let mut all = Vec::new();
        purged.read_to_end(&mut all).unwrap();
        assert_eq!(all, vec![b'b'; BYTES]);
        assert_eq!(
            fs::read(target.join("0.dat")).unwrap(),
            vec![b'f'; BYTES],
            "the name leads to the new one"
        );
    }
}
