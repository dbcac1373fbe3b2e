//! The job files of `packaging/farm` on a Slurm of one machine, which the test starts itself.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(unix)]

mod cli_support;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cli_support::*;

const FRAMES: usize = 8;

/// A controller and a node of two CPUs, which end with the value.
struct Slurm {
    daemons: Vec<Child>,
    config: PathBuf,
}

impl Slurm {
    /// `None`, with a message, where a package is missing.
    fn start(place: &Path) -> Option<Self> {
        for (tool, package) in [
            ("slurmctld", "slurmctld"),
            ("slurmd", "slurmd"),
            ("sbatch", "slurm-client"),
        ] {
            let mut version = Command::new(tool);
            let found = version
                .arg("-V")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if found.is_err() {
                skip::skip(&format!("the Debian package {package}"));
                return None;
            }
        }
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = host.trim().split('.').next().unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let user = user.trim();
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, node_port] = sockets.map(|socket| socket.local_addr().unwrap().port());
        let at = place.display();
        for folder in ["state", "spool"] {
            fs::create_dir(place.join(folder)).unwrap();
        }
        let config = place.join("slurm.conf");
        // A job that is started again waits until its credential has expired.
        let text = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/none\nCredType=cred/none\nAuthInfo=cred_expire=5\n\
             SlurmctldPort={port}\nSlurmdPort={node_port}\n\
             StateSaveLocation={at}/state\nSlurmdSpoolDir={at}/spool\n\
             SlurmctldPidFile={at}/controller.pid\nSlurmdPidFile={at}/node.pid\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n\
             JobAcctGatherType=jobacct_gather/none\nSelectType=select/cons_tres\n\
             SelectTypeParameters=CR_CPU\nReturnToService=2\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(&config, text).unwrap();
        let mut slurm = Self {
            daemons: Vec::new(),
            config,
        };
        for daemon in ["slurmctld", "slurmd"] {
            let log = fs::File::create(place.join(format!("{daemon}.log"))).unwrap();
            let mut command = slurm.command(daemon);
            command
                .arg("-D")
                .stdout(log.try_clone().unwrap())
                .stderr(log);
            slurm.daemons.push(command.spawn().unwrap());
        }
        slurm.wait(place, "the node is not ready", |slurm| {
            slurm.answer(&["sinfo", "-h", "-o", "%T"]) == "idle"
        });
        Some(slurm)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("SLURM_CONF", &self.config);
        command
    }

    fn answer(&self, words: &[&str]) -> String {
        let output = self.command(words[0]).args(&words[1..]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Waits until `ready`; shows what was logged where that takes longer than two minutes.
    fn wait(&self, place: &Path, what: &str, mut ready: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !ready(self) {
            if Instant::now() > end {
                for name in ["slurmctld.log", "slurmd.log", "jobs.log"] {
                    let log = fs::read_to_string(place.join(name)).unwrap_or_default();
                    eprintln!("{name}:\n{log}");
                }
                panic!("{what}: {}", self.answer(&["squeue"]));
            }
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

#[test]
fn a_task_that_is_killed_and_run_again_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let Some(slurm) = Slurm::start(place.path()) else {
        return;
    };
    fs::create_dir(at("clip")).unwrap();
    for frame in head_frames(FRAMES) {
        fs::copy(&frame, at("clip").join(frame.file_name().unwrap())).unwrap();
    }
    let ran = run(&mut render(&at("clip"), &head_words(), &at("whole")));
    assert_eq!(ran.code, 0, "{}", ran.errors);

    let mut submit = slurm.command(repository("packaging/farm/slurm.sh").to_str().unwrap());
    submit
        .args([at("clip"), head_words(), at("joined")])
        .args([&FRAMES.to_string(), "2"])
        .env("STYLELIPSYNC", program().get_program())
        .env("SLS_OPTIONS", "--provider cpu")
        .env("SBATCH_OUTPUT", at("jobs.log"))
        .env("SBATCH_OPEN_MODE", "append");
    let submitted = submit.output().unwrap();
    let errors = String::from_utf8_lossy(&submitted.stderr);
    assert!(submitted.status.success(), "{errors}");

    let mut task = String::new();
    slurm.wait(place.path(), "no piece is rendered", |slurm| {
        let running = ["squeue", "-h", "-t", "R", "-n", "sls-render", "-o", "%A"];
        task = slurm.answer(&running).lines().next().unwrap_or("").into();
        !task.is_empty()
    });
    assert_eq!(slurm.answer(&["scontrol", "requeue", &task]), "");
    let restarts = slurm.answer(&["scontrol", "show", "job", &task]);
    assert!(restarts.contains("Restarts=1"), "{restarts}");
    slurm.wait(place.path(), "the jobs do not end", |slurm| {
        slurm.answer(&["squeue", "-h"]).is_empty()
    });
    let log = fs::read_to_string(at("jobs.log")).unwrap_or_default();
    assert!(at("joined").is_dir(), "{log}");
    for number in 0..FRAMES {
        let name = format!("{number:04}.png");
        let [whole, joined] = ["whole", "joined"].map(|of| fs::read(at(of).join(&name)).unwrap());
        assert!(whole == joined, "{name}");
    }
    assert_eq!(fs::read_dir(at("joined")).unwrap().count(), FRAMES);
}
